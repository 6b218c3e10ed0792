"""Reads that several who ask for the same share, as when all browsers follow one event.

What is shared was read after everybody who gets it had asked, so nobody is told what was true
before. A failure is not shared: each finds out what is wrong by itself.
"""

import ctypes
import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Found = TypeVar("Found")
_yield_processor: Callable[[], int] = ctypes.CDLL(None).sched_yield
"""`os.sched_yield` keeps the interpreter for itself until Python 3.13."""


class _Round(Generic[Found]):
    """One read, and those who wait for it."""

    __slots__ = ("found", "is_over", "waiting")

    def __init__(self) -> None:
        self.found: Found | None = None
        self.waiting = 0
        self.is_over = threading.Lock()
        self.is_over.acquire()


class SharedReads(Generic[Found]):
    """The reads that are about to begin in this process, by what they are of."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._gathering: dict[Hashable, _Round[Found]] = {}

    def share(
        self, what: Hashable, read: Callable[[], Found], *, may_share: Callable[[Found], bool]
    ) -> Found:
        """What `read` finds here, or found for another. It is never None."""
        with self._lock:
            begun = self._gathering.get(what)
            if begun is None:
                own = self._gathering[what] = _Round()
            else:
                begun.waiting += 1
        if begun is None:
            return self._lead(what, own, read, may_share)
        with begun.is_over:
            found = begun.found
        return read() if found is None else found

    def _lead(
        self,
        what: Hashable,
        own: _Round[Found],
        read: Callable[[], Found],
        may_share: Callable[[Found], bool],
    ) -> Found:
        try:
            try:
                _let_others_ask()
            finally:
                with self._lock:  # who asks from now on is not told what is read now
                    del self._gathering[what]
            found = read()
            if may_share(found):
                own.found = found
        finally:
            own.is_over.release()
        return found


def _let_others_ask() -> None:
    """Whoever has a request at hand, on this processor, gets as far as to ask."""
    time.sleep(0)  # under gevent, other greenlets
    _yield_processor()
