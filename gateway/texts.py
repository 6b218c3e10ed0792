"""Text that the backend can store."""

import re

MAX_INBOUND = 65_536
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""NUL and lone surrogates: the first ends strings in PostgreSQL, the others are not UTF-8."""


def is_storable(text: str) -> bool:
    return UNSTORABLE.search(text) is None


def make_storable(text: str) -> str:
    """The same text with U+FFFD for what cannot be stored, cut at what the backend accepts."""
    return UNSTORABLE.sub("\ufffd", text[:MAX_INBOUND])


def make_keepable(raw: str) -> str:
    """The same with U+FFFD for what no database keeps; JSON's own escapes stay as they are."""
    return UNSTORABLE.sub("\ufffd", raw)
