"""How much a phone on a slow line loads before the inbox is there."""

import gzip
import re

from config.settings import PROJECT_ROOT

BUILT = PROJECT_ROOT / "frontend" / "out"
SCRIPT = re.compile(r'<script[^>]* src="/([^"]+)"')
MOST = 250 * 1024
WRITTEN_WHEN_ASKED = "config.js"
"""No file: each server answers with a line of its own."""


def test_the_scripts_of_the_inbox_stay_light(built_page: None) -> None:
    """In all, compressed as servers do; a new library shows here first."""
    names = SCRIPT.findall((BUILT / "index.html").read_text())
    assert len(names) > 5, names
    assert WRITTEN_WHEN_ASKED in names
    weights = {
        name: len(gzip.compress((BUILT / name).read_bytes()))
        for name in names
        if name != WRITTEN_WHEN_ASKED
    }
    assert sum(weights.values()) <= MOST, weights
