"""The page's part of `make dev`: Next's own server, which shows each change as it is saved."""

import json
import os
import shutil
import sys
from urllib.parse import urlsplit

from config.settings import PROJECT_ROOT, load_settings
from config.setup_frontend import environment_with_node

FOLDER = PROJECT_ROOT / "frontend"
NEXT = FOLDER / "node_modules/next/dist/bin/next"


def main() -> None:
    """Tell the page where the API is, as our own server does, and become Next."""
    settings = load_settings()
    environment = environment_with_node()
    node = shutil.which("node", path=environment["PATH"])
    if not node or not NEXT.exists():
        sys.exit("What the page is built with is not installed: run make setup")
    api = urlsplit(settings.backend_url)
    told = f"{api.scheme}://localhost:{api.port}" if api.hostname == "127.0.0.1" else api.geturl()
    (FOLDER / "public").mkdir(exist_ok=True)
    (FOLDER / "public/config.json").write_text(json.dumps({"api": told}) + "\n")
    port = str(settings.port or 3000)
    command = [node, str(NEXT), "dev", str(FOLDER), "--hostname", settings.host, "--port", port]
    os.execve(node, command, environment)


if __name__ == "__main__":
    main()
