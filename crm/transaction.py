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
import time
from collections import Counter as Tally
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cached_property
from typing import Any

import structlog
from flask import g
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, TimeoutError
from sqlalchemy.orm import Session

from crm import clock, events
from crm.database import BUSY_TIMEOUT, begin_writing
from crm.database_errors import translate
from crm.errors import CommitUncertainError, DatabaseUnavailableError
from crm.events import DomainEvent
from crm.extensions import db
from crm.hints import Published, hints
from crm.jobs import Job
from crm.models import CounterName
from crm.models.latency import Latency, observe
from crm.prepared import Prepared
from crm.write_gate import WriteGate

log = structlog.get_logger(__name__)

MOST_TOGETHER = 8
"""Use cases that share one commit: the first waits for the last."""
_RAISE = text(
    "INSERT INTO counters (name, value) VALUES (:name, :by)"
    " ON CONFLICT (name) DO UPDATE SET value = counters.value + excluded.value"
)
# Of one use case among several that share a commit. SQLAlchemy's own cost it as much as its rows.
_MARK = Prepared(text("SAVEPOINT use_case"))
_BACK_TO_MARK = Prepared(text("ROLLBACK TO SAVEPOINT use_case"))
_DROP_MARK = Prepared(text("RELEASE SAVEPOINT use_case"))


class Transaction:
    """What a use case asks for beside its rows."""

    def __init__(self, shared: "_SharedCommit") -> None:
        self.connection = shared.connection
        """For statements whose rows never become models."""
        self._is_marked = bool(shared.members)
        if self._is_marked:
            _MARK.all(self.connection, {})
        self._events: list[DomainEvent] = []
        self._jobs: list[Job] = []
        self._totals: Tally[str] = Tally()

    @cached_property
    def session(self) -> Session:
        """For models. They stay readable after the commit, when no session knows them any more."""
        mode: Any = "create_savepoint" if self._is_marked else "rollback_only"
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
        """Take back everything asked for and changed so far; what follows may still succeed."""
        self._close_session()
        if self._is_marked:
            _BACK_TO_MARK.all(self.connection, {})
        else:
            self.connection.rollback()
            if self.connection.invalidated:  # a new one would not be as `begin_writing` made it
                raise DatabaseUnavailableError
            self.connection.begin()
        self._events.clear()
        self._jobs.clear()
        self._totals.clear()

    def undo(self) -> None:
        """As if nothing had been changed."""
        self._close_session()
        if self._is_marked:
            _BACK_TO_MARK.all(self.connection, {})
            _DROP_MARK.all(self.connection, {})
        else:
            self.connection.rollback()

    def write_last(self) -> "Outcome":
        """Write events and totals; what is left is the commit. Returns what may leave after it."""
        if self._has_session:
            self.session.commit()  # as far as the session knows
        appended = events.append(self.connection, self._events) if self._events else []
        if self._totals:
            # Sorted: those that commit at the same time take the rows in one order.
            raised = [{"name": name, "by": by} for name, by in sorted(self._totals.items())]
            self.connection.execute(_RAISE, raised)
        self._close_session()
        if self._is_marked:
            _DROP_MARK.all(self.connection, {})
        return Outcome(self._jobs, appended)

    def _close_session(self) -> None:
        if self._has_session:
            self.session.close()
            del self.session

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

    def __init__(self, asked_at: float) -> None:
        self.connection = begin_writing(db.engine, until=asked_at + BUSY_TIMEOUT)
        self.members: list[Outcome] = []
        self.is_spoilt = False
        """It holds changes that were to be taken back."""

    def end(self) -> None:
        """Commit, then let the hints go in order, and tell all how it went."""
        error: BaseException | None = DatabaseUnavailableError()  # for who waits if we are stopped
        try:
            error = self._commit()
            if error is None:
                self._send_hints()
        finally:
            for member in self.members:
                member.tell(error)

    def _send_hints(self) -> None:
        try:
            for member in self.members:
                hints.send(member.jobs, member.events)
        except Exception as fault:  # what is committed is no failure; the sweep finds it
            log.warning("hints_dropped", reason=repr(fault))

    def _commit(self) -> Exception | None:
        try:
            if self.members:
                self._require_open()
                self.connection.commit()
        except DBAPIError as found:
            if not found.connection_invalidated:  # as on SQLite always: it is not kept
                return found
            log.warning("commit_uncertain", reason=str(found.orig))
            return CommitUncertainError()
        except Exception as found:
            return found
        finally:
            # What could not be committed is still open, and would go back to the pool like that.
            with suppress(Exception):
                self.connection.rollback()
            self.connection.close()
        return None

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
        told = translate(error)
        if isinstance(told, DatabaseUnavailableError):
            log.warning("database_unavailable", reason=str(getattr(error, "orig", error)))
        raise told from error
    finally:
        g.is_writing = False
        _end_reading()  # what was read meanwhile must not pin what it saw


def _run_alone() -> Iterator[Transaction]:
    commit = _SharedCommit(time.monotonic())
    try:
        outcome = yield from _run(commit)
    finally:
        commit.end()
    outcome.wait()


def _run_in_turn(shares_commit: bool) -> Iterator[Transaction]:
    asked_at = time.monotonic()
    commit = _write_gate.enter(shares=shares_commit)
    is_passed_on = False
    try:
        commit = commit or _SharedCommit(asked_at)
        outcome = yield from _run(commit)
        if shares_commit and len(commit.members) < MOST_TOGETHER:
            is_passed_on = _write_gate.pass_on(commit)
    finally:
        if not is_passed_on:
            try:
                if commit is not None:
                    commit.end()
            finally:
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
        try:
            db.session.rollback()
        except DBAPIError:  # it only read: what was committed meanwhile is committed
            db.session().invalidate()
