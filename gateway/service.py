"""The gateway itself: what the HTTP door calls, and the threads behind it."""

import contextvars
import threading
from collections.abc import Callable
from dataclasses import asdict
from functools import partial

import structlog
from flask import current_app
from sqlalchemy.exc import IntegrityError

from config.settings import Settings
from gateway.clock import now, to_iso
from gateway.deliverer import Deliverer
from gateway.drivers import make_driver
from gateway.drivers.base import DriverState
from gateway.orders import (
    NotConnectedError,
    SendOrder,
    UnknownMessageError,
    cover_order,
    store_order,
)
from gateway.recorder import Recorder
from gateway.sender import Sender
from gateway.single import OnlyProcess
from gateway.store import callbacks, facts, sends, updates
from gateway.store.database import Store
from gateway.store.tables import CallbackState, SendState, UpdateState
from gateway.updates import UpdateReader

log = structlog.get_logger(__name__)

DEAD_LETTERS_SHOWN = 5
START_PAUSE = 1.0
STOP_TIMEOUT = 1.5
"""Seconds each half gets to finish what it is doing; the rest resumes from the store."""


class GatewayService:
    def __init__(self, settings: Settings) -> None:
        self.driver = make_driver(settings)
        self.store = Store(settings.gateway_database_url)
        self.store.create_tables()
        self.deliverer = Deliverer(self.store, settings)
        self.sender = Sender(self.store, self.driver, on_callback=self.deliverer.wake)
        self.updates = UpdateReader(self.store, self.driver, on_callback=self.deliverer.wake)
        self.recorder = Recorder(
            self.store,
            on_callback=self.deliverer.wake,
            on_state=self.sender.wake,
            on_update=self.updates.wake,
        )
        self._only = OnlyProcess(settings.var_dir / "gateway.lock")
        self._stopping = threading.Event()
        self._running = threading.Event()

    def start(self) -> None:
        """Start the background threads. Returns at once; the driver's state tells the rest."""
        run = contextvars.copy_context().run
        threading.Thread(target=run, args=(self._run,), name="start", daemon=True).start()

    def _run(self) -> None:
        if not self._only.acquire(self._stopping):
            return
        self._insist(self.sender.recover)
        self._insist(partial(self.driver.connect, self.recorder))
        self.sender.start()
        self.updates.start()
        self.deliverer.start()
        self._running.set()
        log.info("gateway_started", driver=self.driver.name)

    def _insist(self, step: Callable[[], None]) -> None:
        """A store or a disk that is away at start may come back."""
        while not self._stopping.is_set():
            try:
                return step()
            except Exception:
                log.exception("start_postponed")
                self._stopping.wait(START_PAUSE)

    def wait_until_running(self, timeout: float) -> bool:
        """True once the driver and the threads are up, False after that many seconds."""
        return self._running.wait(timeout)

    def stop(self) -> None:
        """Stop within a few seconds. What is unfinished resumes from the store."""
        self._stopping.set()
        self.driver.disconnect()
        if self._running.is_set():
            self.sender.stop(STOP_TIMEOUT)
            self.updates.stop(STOP_TIMEOUT)
            self.deliverer.stop(STOP_TIMEOUT)
        self.store.close()
        self._only.release()

    def accept(self, order: SendOrder, *, request_id: str) -> None:
        """Store an order to send, once. Raises NotConnectedError."""
        try:
            with self.store.transaction() as connection:
                is_new = not cover_order(connection, order)
                if is_new:
                    self._require_ready()
                    store_order(connection, order, request_id=request_id)
        except IntegrityError:
            is_new = False  # Another process accepted it in this very moment.
        log.info(
            "send_accepted" if is_new else "send_repeated",
            message_id=order.backend_message_id,
            attempt=order.attempt,
        )
        self.sender.wake()
        self.deliverer.wake()

    def _require_ready(self) -> None:
        state = self.driver.state()
        if state is not DriverState.READY:
            raise NotConnectedError(state)

    def find_send(self, backend_message_id: int) -> sends.Send:
        """The newest attempt, or one that was sent. Raises UnknownMessageError."""
        with self.store.reading() as connection:
            attempts = sends.find_attempts(connection, backend_message_id)
        if not attempts:
            raise UnknownMessageError
        sent = [known for known in attempts if known.state is SendState.SENT]
        return (sent or attempts)[0]

    def erase(self, chat: str) -> int:
        """Forget a chat: texts, queued sends, callbacks, updates. Returns the rows touched."""
        with self.store.transaction() as connection:
            erased = sends.erase_chat(connection, chat, at=now())
            erased += updates.erase_chat(connection, chat)
            return erased + callbacks.erase_chat(connection, chat)

    def status(self) -> dict[str, object]:
        """The truth about the connection and the queues; no text, no phone."""
        state = self.driver.state()
        with self.store.reading() as connection:
            queue = sends.count_open(connection)
            counts = callbacks.count_callbacks(connection)
            dead = callbacks.find_dead_letters(connection, limit=DEAD_LETTERS_SHOWN)
            kept = updates.count_updates(connection)
            moments = facts.recall(connection)
        return {
            "ready": state is DriverState.READY,
            "need_qr": state is DriverState.NEED_QR,
            "session_active": state in (DriverState.READY, DriverState.DEGRADED),
            "state": state,
            "driver": self.driver.name,
            **{name: None if at is None else to_iso(at) for name, at in moments.items()},
            "advice": self.driver.advice(),
            "queue": queue,
            "updates": {
                "pending": kept[UpdateState.PENDING],
                "unreadable": kept[UpdateState.UNREADABLE],
            },
            "callbacks": {
                "pending": counts[CallbackState.PENDING],
                "dead": counts[CallbackState.DEAD],
                "dead_letters": [asdict(letter) for letter in dead],
            },
        }


def current_gateway() -> GatewayService:
    """The service of the app that handles this request."""
    service: GatewayService = current_app.extensions["gateway"]
    return service
