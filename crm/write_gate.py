"""Lets one thread of this process write to SQLite at a time, and few wait for long.

SQLite's own waiting is blind sleeping; here the next writer is woken at once, in the order of
asking. A burst waits its short turn; when the file stays locked, most are told to try again, so
that threads are left for reading.
"""

import threading
from collections import deque
from typing import Generic, TypeVar

from crm.database import BUSY_TIMEOUT
from crm.errors import DatabaseBusyError

T = TypeVar("T")

PATIENCE = 3.0
"""Seconds of `BUSY_TIMEOUT` that any number may wait; the rest is for `MAX_WAITING_WRITERS`."""
MAX_WAITING_WRITERS = 16


class _Ticket(Generic[T]):
    """A writer that waits for its turn."""

    def __init__(self, *, shares: bool) -> None:
        self.shares = shares
        self.brought: T | None = None
        """What the writer before it passes on."""
        self._turn = threading.Lock()
        self._turn.acquire()

    def call(self, brought: T | None = None) -> None:
        self.brought = brought
        self._turn.release()

    def wait(self, seconds: float) -> bool:
        return self._turn.acquire(timeout=seconds)


class WriteGate(Generic[T]):
    """One writer is inside; it may pass on what it has begun to the next, where that shares it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_taken = False
        self._waiting: deque[_Ticket[T]] = deque()
        self._waiting_room = threading.BoundedSemaphore(MAX_WAITING_WRITERS)

    def enter(self, *, shares: bool) -> T | None:
        """Wait for the turn; returns what is passed on, if anything. Raises `DatabaseBusyError`."""
        with self._lock:
            if not self._is_taken:
                self._is_taken = True
                return None
            ticket = _Ticket[T](shares=shares)
            self._waiting.append(ticket)
        try:
            has_turn = ticket.wait(PATIENCE) or self._wait_long(ticket)
        except BaseException:  # who is stopped while it waits must not be called later
            if not self._give_up(ticket) and ticket.brought is None:
                self.leave()
            raise
        if has_turn or not self._give_up(ticket):
            return ticket.brought
        raise DatabaseBusyError

    def leave(self) -> None:
        """Let the next one in."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().call()
            else:
                self._is_taken = False

    def pass_on(self, begun: T) -> bool:
        """Let the next one in and go on with this; False, and nothing done, where none would."""
        with self._lock:
            if not (self._waiting and self._waiting[0].shares):
                return False
            self._waiting.popleft().call(begun)
            return True

    def _wait_long(self, ticket: _Ticket[T]) -> bool:
        if not self._waiting_room.acquire(blocking=False):
            return False
        try:
            return ticket.wait(BUSY_TIMEOUT - PATIENCE)
        finally:
            self._waiting_room.release()

    def _give_up(self, ticket: _Ticket[T]) -> bool:
        """False where it is called this very moment."""
        with self._lock:
            if ticket not in self._waiting:
                return False
            self._waiting.remove(ticket)
            return True
