"""The page and the API agree: its types are those of the API's description."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from config.settings import PROJECT_ROOT
from config.setup_frontend import environment_with_node

FRONTEND = PROJECT_ROOT / "frontend"
TYPES = FRONTEND / "src/api/schema.ts"


def test_the_pages_types_are_those_of_the_api(
    tmp_path: Path, lacking: Callable[[str], NoReturn]
) -> None:
    """`make types` writes them anew."""
    tool = FRONTEND / "node_modules/.bin/openapi-typescript"
    if not tool.exists():
        lacking("frontend/node_modules is not there: run make setup")
    described, written = tmp_path / "openapi.json", tmp_path / "schema.ts"
    for command in (
        [sys.executable, "-m", "flask", "--app", "wsgi", "openapi", "write", described],
        [tool, described, "--output", written],
    ):
        subprocess.run(command, env=environment_with_node(), check=True, capture_output=True)
    assert written.read_text() == TYPES.read_text(), "run make types"
