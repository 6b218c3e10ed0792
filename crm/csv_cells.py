"""Texts as cells of a CSV file that no spreadsheet takes for a formula, and back.

A spreadsheet runs what begins with `=`, `+`, `-` or `@`, where Japanese is written also with those
of full width; a leading apostrophe makes it a text.
Where the spreadsheet's own delimiter is `;`, a cell may also begin in the midst of a text of ours.
"""

import re

_CELL_BEGINS = r'(^|[;\t\r\n]"*)'
_DANGEROUS = r"(?=[=+\-@\t\r＝＋－＠])"
# Texts that have apostrophes there already get one more, so that taking one back is exact.
_BARE = re.compile(_CELL_BEGINS + r"('*)" + _DANGEROUS)
_GUARDED = re.compile(_CELL_BEGINS + r"'('*)" + _DANGEROUS)


def guard(text: str) -> str:
    """The text with an apostrophe wherever a spreadsheet would see a formula begin."""
    return _BARE.sub(r"\1'\2", text)


def unguard(cell: str) -> str:
    """The text that `guard` made this cell of."""
    return _GUARDED.sub(r"\1\2", cell)


def guard_json(document: str) -> str:
    """The same JSON value; its `;`, which stand in strings only, are written as escapes."""
    return document.replace(";", "\\u003b")
