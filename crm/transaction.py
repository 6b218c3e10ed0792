"""The only commit in the project, and what may leave the process after it.

    with transaction() as tx:
        message = ...
        tx.record(MessageQueued(...))
        tx.enqueue(jobs.deliver_message(message.id))

Inside, rows change. At the end counters and events are written last and everything is committed;
only then jobs and events leave as hints. An exception rolls back and forgets them all.
"""

import threading
from collections import Counter as Tally
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property

from flask import g
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, TimeoutError
from sqlalchemy.orm import Session

from crm import clock, events
from crm.database import BUSY_TIMEOUT
from crm.errors import DatabaseBusyError, DatabaseUnavailableError
from crm.events import DomainEvent
from crm.extensions import db
from crm.hints import hints
from crm.jobs import Job
from crm.models import CounterName
from crm.models.latency import Latency, observe

PATIENCE = 3.0
"""Seconds of that which any number of writers may wait; the rest is for `MAX_WAITING_WRITERS`."""
MAX_WAITING_WRITERS = 16
_RAISE = text(
    "INSERT INTO counters (name, value) VALUES (:name, :by)"
    " ON CONFLICT (name) DO UPDATE SET value = counters.value + excluded.value"
)
LOCKED = ("database is locked", "lock timeout", "deadlock detected", "statement timeout")


class Transaction:
    """What a use case asks for beside its rows."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        """For statements whose rows never become models."""
        self._events: list[DomainEvent] = []
        self._jobs: list[Job] = []
        self._totals: Tally[str] = Tally()

    @cached_property
    def session(self) -> Session:
        """For models. They stay readable after the commit, when no session knows them any more."""
        return Session(self.connection, expire_on_commit=False)

    def record(self, event: DomainEvent) -> None:
        """Write this event into the log, and tell the browsers after the commit."""
        self._events.append(event)

    def enqueue(self, job: Job) -> None:
        """Send this job after the commit."""
        self._jobs.append(job)

    def count(self, name: CounterName, by: int = 1) -> None:
        """Raise a stored total."""
        self._totals[name] += by

    def measure(self, latency: Latency, since: datetime) -> None:
        """Note how long something took that ends now."""
        self._totals.update(observe(latency, (clock.now() - since).total_seconds()))

    def forget(self) -> None:
        """Take back everything asked for and changed so far."""
        self.roll_back()
        self._events.clear()
        self._jobs.clear()
        self._totals.clear()

    def commit(self) -> None:
        """Write events and totals last, commit, then let the hints go."""
        if self._has_session:
            self.session.flush()
        appended = events.append(self.connection, self._events) if self._events else []
        if self._totals:
            # Sorted: those that commit at the same time take the rows in one order.
            raised = [{"name": name, "by": by} for name, by in sorted(self._totals.items())]
            self.connection.execute(_RAISE, raised)
        self.connection.commit()
        if self._has_session:
            self.session.close()
        hints.send(self._jobs, appended)

    def roll_back(self) -> None:
        """As if nothing had been changed."""
        if self._has_session:
            self.session.close()
        self.connection.rollback()

    @property
    def _has_session(self) -> bool:
        return "session" in vars(self)


class _WriteGate:
    """Lets one thread of this process write to SQLite at a time, and few wait for long.

    SQLite's own waiting is blind sleeping; a lock here wakes the next writer at once. A burst
    waits its short turn; when the file stays locked, most are told to try again, so that threads
    are left for reading.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._waiting_room = threading.BoundedSemaphore(MAX_WAITING_WRITERS)

    @contextmanager
    def __call__(self) -> Iterator[None]:
        if not (self._turn.acquire(timeout=PATIENCE) or self._wait_long()):
            raise DatabaseBusyError
        try:
            yield
        finally:
            self._turn.release()

    def _wait_long(self) -> bool:
        if not self._waiting_room.acquire(blocking=False):
            return False
        try:
            return self._turn.acquire(timeout=BUSY_TIMEOUT - PATIENCE)
        finally:
            self._waiting_room.release()


_write_gate = _WriteGate()


@contextmanager
def transaction() -> Iterator[Transaction]:
    """Open the one write transaction of a use case. Transactions do not nest."""
    if g.get("is_writing"):
        raise RuntimeError("transactions do not nest: pass `tx` on instead")
    _end_reading()  # what was read before this must hold no connection meanwhile
    if db.engine.dialect.name == "sqlite":
        with _write_gate():
            yield from _run()
    else:
        yield from _run()


def _run() -> Iterator[Transaction]:
    g.is_writing = True
    try:
        with db.engine.connect().execution_options(begin="IMMEDIATE") as connection:
            connection.begin()
            tx = Transaction(connection)
            try:
                yield tx
                tx.commit()
            except BaseException:
                tx.roll_back()
                raise
    except (DBAPIError, TimeoutError) as error:
        raise translate(error) from error
    finally:
        g.is_writing = False
        _end_reading()  # what was read meanwhile must not pin what it saw


def _end_reading() -> None:
    if db.session.registry.has():
        db.session.rollback()


def translate(error: Exception) -> Exception:
    """A database's own error as the family's: busy, unusable, or the error itself (a fault)."""
    if isinstance(error, TimeoutError):
        return DatabaseBusyError()
    if isinstance(error, IntegrityError) and "unique" in str(error.orig).casefold():
        # Rules are checked before rows are written: a unique index only stops a race's loser.
        return DatabaseBusyError()
    if isinstance(error, OperationalError) or getattr(error, "connection_invalidated", False):
        reason = str(getattr(error, "orig", error)).casefold()
        busy = any(phrase in reason for phrase in LOCKED)
        return DatabaseBusyError() if busy else DatabaseUnavailableError()
    return error
