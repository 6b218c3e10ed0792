"""The only commit in the project, and what may leave the process after it.

    with transaction() as tx:
        message = ...
        tx.record(MessageQueued(...))
        tx.enqueue(jobs.deliver_message(message.id))

Inside, rows change. At the end counters and events are written last and everything is committed;
only then jobs and events leave as hints. An exception rolls back and forgets them all.

On SQLite a commit costs more than all else of a small use case. Those that wait for each other
anyway share one: behind a savepoint each, so that one that fails takes back its own changes only.
None of them returns before all is committed.
"""

import threading
from collections import Counter as Tally
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cached_property
from typing import Any

from flask import g
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, TimeoutError
from sqlalchemy.orm import Session

from crm import clock, events
from crm.errors import DatabaseBusyError, DatabaseUnavailableError
from crm.events import DomainEvent
from crm.extensions import db
from crm.hints import Published, hints
from crm.jobs import Job
from crm.models import CounterName
from crm.models.latency import Latency, observe
from crm.write_gate import WriteGate

MOST_TOGETHER = 8
"""Use cases that share one commit: the first waits for the last."""
_RAISE = text(
    "INSERT INTO counters (name, value) VALUES (:name, :by)"
    " ON CONFLICT (name) DO UPDATE SET value = counters.value + excluded.value"
)
LOCKED = ("database is locked", "lock timeout", "deadlock detected", "statement timeout")


class Transaction:
    """What a use case asks for beside its rows."""

    def __init__(self, shared: "_SharedCommit") -> None:
        self.connection = shared.connection
        """For statements whose rows never become models."""
        self._savepoint = self.connection.begin_nested() if shared.members else None
        self._events: list[DomainEvent] = []
        self._jobs: list[Job] = []
        self._totals: Tally[str] = Tally()

    @cached_property
    def session(self) -> Session:
        """For models. They stay readable after the commit, when no session knows them any more."""
        mode: Any = "rollback_only" if self._savepoint is None else "create_savepoint"
        return Session(self.connection, expire_on_commit=False, join_transaction_mode=mode)

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
        self.undo()
        if self._savepoint is None:
            self.connection.begin()
        self._events.clear()
        self._jobs.clear()
        self._totals.clear()

    def undo(self) -> None:
        """As if nothing had been changed."""
        self._close_session()
        if self._savepoint is None:
            self.connection.rollback()
        elif self._savepoint.is_active:
            self._savepoint.rollback()

    def write_last(self) -> "Outcome":
        """Write events and totals; what is left is the commit. Returns what may leave after it."""
        if self._has_session:
            self.session.commit()  # as far as the session knows
        appended = events.append(self.connection, self._events) if self._events else []
        if self._totals:
            # Sorted: those that commit at the same time take the rows in one order.
            raised = [{"name": name, "by": by} for name, by in sorted(self._totals.items())]
            self.connection.execute(_RAISE, raised)
        if self._savepoint and self._savepoint.is_active:
            self._savepoint.commit()
        self._close_session()
        return Outcome(self._jobs, appended)

    def _close_session(self) -> None:
        if self._has_session:
            self.session.close()

    @property
    def _has_session(self) -> bool:
        return "session" in vars(self)


class Outcome:
    """What a use case has left, whose changes wait for their commit."""

    def __init__(self, jobs: Sequence[Job], events: Sequence[Published]) -> None:
        self.jobs, self.events = jobs, events
        self.error: BaseException | None = None
        self._committed = threading.Lock()
        self._committed.acquire()

    def tell(self, error: BaseException | None) -> None:
        """That the commit is over, and how it failed if it did."""
        self.error = error
        self._committed.release()

    def wait(self) -> None:
        """Until the commit is over. Raises what it failed with."""
        self._committed.acquire()
        if self.error is not None:
            raise self.error


class _SharedCommit:
    """One transaction of the database, and the use cases whose changes it holds."""

    def __init__(self) -> None:
        self.connection = db.engine.connect().execution_options(begin="IMMEDIATE")
        self.members: list[Outcome] = []
        self.is_spoilt = False
        """It holds changes that were to be taken back."""
        try:
            self.connection.begin()
        except BaseException:
            self.connection.close()
            raise

    def end(self) -> None:
        """Commit, then let the hints go in order, and tell all how it went."""
        error: BaseException | None = None
        try:
            if self.members:
                self._require_open()
                self.connection.commit()
        except Exception as found:
            error = found
        finally:
            # What could not be committed is still open, and would go back to the pool like that.
            with suppress(Exception):
                self.connection.rollback()
            self.connection.close()
        if error is None:
            for member in self.members:
                hints.send(member.jobs, member.events)
        for member in self.members:
            member.tell(error)

    def _require_open(self) -> None:
        """On a full disk SQLite takes back a whole transaction by itself, savepoints and all.

        Whoever meets that is told, but those before it are not, and to commit nothing succeeds.
        """
        raw: Any = self.connection.connection.dbapi_connection
        is_gone = self.connection.dialect.name == "sqlite" and not raw.in_transaction
        if is_gone or self.is_spoilt:
            raise DatabaseUnavailableError


_write_gate = WriteGate[_SharedCommit]()


@contextmanager
def transaction(*, shares_commit: bool = False) -> Iterator[Transaction]:
    """Open the one write transaction of a use case. Transactions do not nest.

    `shares_commit`: this one is over in a moment, so that others may wait for it.
    """
    if g.get("is_writing"):
        raise RuntimeError("transactions do not nest: pass `tx` on instead")
    _end_reading()  # what was read before this must hold no connection meanwhile
    g.is_writing = True
    try:
        if db.engine.dialect.name == "sqlite":
            yield from _run_in_turn(shares_commit)
        else:
            yield from _run_alone()
    except (DBAPIError, TimeoutError) as error:
        raise translate(error) from error
    finally:
        g.is_writing = False
        _end_reading()  # what was read meanwhile must not pin what it saw


def _run_alone() -> Iterator[Transaction]:
    commit = _SharedCommit()
    try:
        outcome = yield from _run(commit)
    finally:
        commit.end()
    outcome.wait()


def _run_in_turn(shares_commit: bool) -> Iterator[Transaction]:
    commit = _write_gate.enter(shares=shares_commit)
    is_passed_on = False
    try:
        commit = commit or _SharedCommit()
        outcome = yield from _run(commit)
        if shares_commit and len(commit.members) < MOST_TOGETHER:
            is_passed_on = _write_gate.pass_on(commit)
    finally:
        if not is_passed_on:
            if commit is not None:
                commit.end()
            _write_gate.leave()
    outcome.wait()


def _run(commit: _SharedCommit) -> Generator[Transaction, None, Outcome]:
    tx = Transaction(commit)
    try:
        yield tx
        outcome = tx.write_last()
    except BaseException:
        commit.is_spoilt = True
        with suppress(DBAPIError):  # what brought us here says more
            tx.undo()
            commit.is_spoilt = False
        raise
    commit.members.append(outcome)
    return outcome


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
