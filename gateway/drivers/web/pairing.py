"""One round of codes to scan."""

import time
from collections.abc import Callable

MAX_CODES = 5
FIRST_LIFE = 60.0
LIFE = 20.0
"""Seconds that WhatsApp accepts the first code, and each later one."""
GRACE = 5.0


class Round:
    """The newest code while it is good; over after five, or when no more come."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._shown = 0
        self._code: str | None = None
        self._dies_at = 0.0

    def show(self, code: str) -> None:
        self._shown += 1
        self._code = code if self._shown <= MAX_CODES else None
        self._dies_at = self._monotonic() + (FIRST_LIFE if self._shown == 1 else LIFE)

    def is_begun(self) -> bool:
        return self._shown > 0

    def code(self) -> str | None:
        return None if self.is_over() else self._code

    def is_over(self) -> bool:
        if self._shown > MAX_CODES:
            return True
        grace = GRACE if self._shown < MAX_CODES else 0.0
        return self._shown > 0 and self._monotonic() > self._dies_at + grace
