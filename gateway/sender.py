"""Takes accepted sends to the driver, one at a time per chat, and records what came of it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection
from structlog.contextvars import bound_contextvars

from gateway.clock import now
from gateway.drivers.base import (
    Driver,
    PermanentError,
    TemporaryError,
    UnknownOutcomeError,
)
from gateway.drivers.events import Outgoing
from gateway.lanes import Lanes
from gateway.notices import failed_notice, map_notice
from gateway.pace import Pace
from gateway.store.callbacks import add_callback
from gateway.store.database import Store
from gateway.store.facts import Fact, remember
from gateway.store.lanes import DueChats, find_due_chats
from gateway.store.sends import (
    BULK,
    REPLY,
    Send,
    change_send,
    find_attempts,
    find_next,
    find_standing,
    settle_erased,
    settle_interrupted,
    settle_send,
)
from gateway.store.tables import SendState, sends

log = structlog.get_logger(__name__)

THREADS = 8
UNKNOWN_PAUSE = 1.0
RECORD_PAUSE = 1.0
DAY = 24 * 3600.0
EXPIRES_AFTER = {REPLY: DAY, BULK: 7 * DAY}
"""A reply that goes out days late surprises everyone: it fails, and the agent is told.

Bulk has longer: a fresh number's slow start may spread a campaign over days.
"""
EXPIRED = "It could not go out in time: WhatsApp was away, or the number's pace held it back."

Record = Callable[[Connection], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a send: how to record it, and WhatsApp's id where it went out."""

    record: Record
    whatsapp_id: str | None = None


class Sender:
    def __init__(
        self,
        store: Store,
        driver: Driver,
        *,
        pace: Pace | None,
        is_ready: Callable[[], bool],
        on_callback: Callable[[], None],
    ) -> None:
        self._store = store
        self._driver = driver
        self._pace = pace
        self._is_ready = is_ready
        self._on_callback = on_callback
        self._stopping = threading.Event()
        self._lanes = Lanes("sender", self._find, handle=self._send_next, threads=THREADS)
        self.start = self._lanes.start
        self.wake = self._lanes.wake

    def stop(self, timeout: float) -> None:
        self._stopping.set()
        self._lanes.stop(timeout)

    def recover(self) -> None:
        """Decide on sends that a killed process left half-way: again only where that is safe."""
        state = SendState.QUEUED if self._driver.idempotent else SendState.UNKNOWN
        with self._store.transaction() as connection:
            interrupted = settle_interrupted(connection, state, at=now())
        if interrupted:
            log.warning("sends_interrupted", count=interrupted, now=state)

    def _find(self, limit: int) -> DueChats:
        if not self._is_ready():
            return DueChats([])  # A change of the state wakes us.
        at, busy = now(), self._lanes.busy
        with self._store.reading() as connection:
            if self._pace is not None:
                return self._pace.find_due(connection, at, limit=limit, busy=busy)
            return find_due_chats(connection, sends, state=SendState.QUEUED, at=at, limit=limit)

    def _send_next(self, chat: str) -> None:
        with self._store.transaction() as connection:
            send = _claim(connection, chat, self._pace)
        if send is None:
            self._on_callback()
            return
        ids = {"message_id": send.backend_message_id, "attempt": send.attempt}
        with bound_contextvars(request_id=send.request_id, **ids):
            self._record(send, self._attempt(send))

    def _attempt(self, send: Send) -> Outcome:
        """Call the driver."""
        outgoing = Outgoing(
            backend_message_id=send.backend_message_id,
            attempt=send.attempt,
            chat=send.chat,
            text=send.text,
            template=send.template,
        )
        try:
            whatsapp_id = self._driver.send(outgoing)
        except TemporaryError as error:
            log.info("send_postponed", reason=str(error), delay=error.delay)
            return Outcome(_postpone(send, error.delay))
        except PermanentError as error:
            log.error("send_failed", code=error.code)
            return Outcome(_fail(send, error))
        except UnknownOutcomeError as error:
            return Outcome(self._doubt(send, error))
        except Exception as error:  # A driver's bug says nothing about what was sent.
            log.exception("driver_broke")
            return Outcome(self._doubt(send, error))
        log.info("send_done", whatsapp_id=whatsapp_id)
        return Outcome(_succeed(send, whatsapp_id), whatsapp_id)

    def _doubt(self, send: Send, error: Exception) -> Record:
        """It may have gone out: only a driver that recognises it may be asked again."""
        if self._driver.idempotent:
            return _postpone(send, UNKNOWN_PAUSE)
        log.error("send_unknown", error=type(error).__name__)
        return lambda connection: settle_send(
            connection, send.id, SendState.UNKNOWN, at=now(), code="unknown_outcome"
        )

    def _record(self, send: Send, outcome: Outcome) -> None:
        """Write the outcome down, however long the store is away: it happened."""
        while True:
            try:
                with self._store.transaction() as connection:
                    _write_down(connection, send, outcome)
            except Exception:
                log.exception("outcome_not_recorded")
                if self._stopping.wait(RECORD_PAUSE):
                    return
            else:
                self._on_callback()
                return


def _write_down(connection: Connection, send: Send, outcome: Outcome) -> None:
    state, is_erased = find_standing(connection, send.id)
    if state is not SendState.SENDING:
        return  # A receipt came before the answer and has settled the send.
    if is_erased:
        settle_erased(connection, send.id, at=now(), whatsapp_id=outcome.whatsapp_id)
    else:
        outcome.record(connection)


def _claim(connection: Connection, chat: str, pace: Pace | None) -> Send | None:
    """Mark the chat's next send as being sent; None where nothing needs sending or may be sent."""
    at = now()
    send = pace.choose(connection, chat, at) if pace else find_next(connection, chat)
    if send is None or send.due_at > at:
        return None
    for other in find_attempts(connection, send.backend_message_id):
        if other.state is SendState.SENT and other.whatsapp_id:
            _succeed(send, other.whatsapp_id)(connection)
            return None
    if send.accepted_at < at - EXPIRES_AFTER[send.priority]:
        _fail(send, PermanentError("expired", EXPIRED, retryable=True))(connection)
        return None
    change_send(connection, send.id, state=SendState.SENDING, due_at=at)
    return send


def _succeed(send: Send, whatsapp_id: str) -> Record:
    def record(connection: Connection) -> None:
        at = now()
        settle_send(connection, send.id, SendState.SENT, at=at, whatsapp_id=whatsapp_id)
        add_callback(connection, map_notice(send, whatsapp_id), at=at)
        remember(connection, Fact.LAST_SENT_AT, at)

    return record


def _fail(send: Send, error: PermanentError) -> Record:
    def record(connection: Connection) -> None:
        at = now()
        why = {"code": error.code, "reason": error.reason}
        settle_send(connection, send.id, SendState.FAILED, at=at, **why)
        add_callback(connection, failed_notice(send, retryable=error.retryable, **why), at=at)

    return record


def _postpone(send: Send, delay: float) -> Record:
    return lambda connection: change_send(
        connection, send.id, state=SendState.QUEUED, due_at=now() + delay
    )
