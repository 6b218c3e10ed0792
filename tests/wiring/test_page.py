"""The page agrees with the API's description, and its manifest with the files beside it."""

import json
import re
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn
from xml.etree import ElementTree

from config.settings import PROJECT_ROOT
from config.setup_frontend import environment_with_node

FRONTEND = PROJECT_ROOT / "frontend"
TYPES = FRONTEND / "src/api/schema.ts"
PUBLIC = FRONTEND / "public"
DOCUMENT = FRONTEND / "src/pages/_document.tsx"


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


def test_the_page_can_be_installed_with_icons_that_are_what_they_claim() -> None:
    """What browsers ask for: a name, a start, icons of 192 and 512, and one that may be cut."""
    manifest = json.loads((PUBLIC / "manifest.webmanifest").read_text())
    assert manifest["name"]
    assert len(manifest["short_name"]) <= 12, "a home screen cuts what is longer"
    assert (manifest["start_url"], manifest["display"]) == ("/", "standalone")
    icons = manifest["icons"]
    claimed = {(icon["sizes"], icon["type"], icon.get("purpose", "any")) for icon in icons}
    assert claimed >= {
        ("192x192", "image/png", "any"),
        ("512x512", "image/png", "any"),
        ("512x512", "image/png", "maskable"),
    }
    for icon in icons:
        file = PUBLIC / icon["src"].removeprefix("/")
        assert picture_of(file.read_bytes()) == (icon["sizes"], icon["type"]), file.name


def picture_of(data: bytes) -> tuple[str, str]:
    """The sizes and the type that a manifest has to give for this file."""
    if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR":
        width, height = struct.unpack(">II", data[16:24])
        return f"{width}x{height}", "image/png"
    drawing = ElementTree.fromstring(data)
    assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
    assert "viewBox" in drawing.attrib, "it could not be drawn at any size"
    return "any", "image/svg+xml"


def test_every_file_that_the_frame_of_the_page_names_is_there() -> None:
    named = set(re.findall(r'(?:href|src)="/([^"]+)"', DOCUMENT.read_text()))
    assert {"manifest.webmanifest", "theme.js", "icon.svg"} <= named
    made = {"config.js"}  # written by what serves the page
    assert [name for name in sorted(named - made) if not (PUBLIC / name).is_file()] == []
