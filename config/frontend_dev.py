"""The page's part of `make dev`: Next's own server, which shows each change as it is saved."""

import json
import os
import shlex
import shutil
import sys
from urllib.parse import urlsplit

from config.settings import PROJECT_ROOT, load_settings
from config.setup_frontend import environment_with_node

FOLDER = PROJECT_ROOT / "frontend"
NEXT = FOLDER / "node_modules/next/dist/bin/next"


def main() -> None:
    """Tell the page where the API is, as our own server does, and become Next.

    Not by `npm run`, which would stand between Next and the signal to end.
    """
    settings = load_settings()
    environment = environment_with_node()
    node = shutil.which("node", path=environment["PATH"])
    if not node or not NEXT.exists():
        sys.exit("What the page is built with is not installed: run make setup")
    (FOLDER / "public").mkdir(exist_ok=True)
    script = f"window.CRM_API = {json.dumps(_api_for_browsers(settings.backend_url))};\n"
    (FOLDER / "public/config.js").write_text(script)
    _, *options = shlex.split(json.loads((FOLDER / "package.json").read_text())["scripts"]["dev"])
    place = ["--hostname", settings.host, "--port", str(settings.port or 3000)]
    os.chdir(FOLDER)
    os.execve(node, [node, str(NEXT), *options, *place], environment)


def _api_for_browsers(backend_url: str) -> str:
    """By the name that the launcher tells people to open the page at, so that cookies fit."""
    api = urlsplit(backend_url)
    host = f"localhost:{api.port}" if api.hostname == "127.0.0.1" else api.netloc
    return f"{api.scheme}://{host}"


if __name__ == "__main__":
    main()
