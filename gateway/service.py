"""The gateway itself: what the HTTP door calls, and the threads behind it."""

import contextvars
import threading
from collections.abc import Callable, Sequence
from functools import partial

import structlog
from flask import current_app
from sqlalchemy.exc import IntegrityError

from config.settings import Settings
from gateway.clock import now
from gateway.deliverer import Deliverer
from gateway.drivers import make_driver
from gateway.drivers.base import DriverState, MarksRead
from gateway.health import Health
from gateway.media import MediaLane
from gateway.orders import (
    NotConnectedError,
    SendOrder,
    UnknownMessageError,
    cover_order,
    store_order,
)
from gateway.pace import Pace
from gateway.recorder import Recorder
from gateway.sender import Sender
from gateway.single import OnlyProcess
from gateway.status import read_status
from gateway.store import callbacks, media, sends, updates
from gateway.store.database import Store
from gateway.store.tables import SendState
from gateway.updates import UpdateReader
from gateway.watchdog import Watchdog

log = structlog.get_logger(__name__)

START_PAUSE = 1.0
STOP_TIMEOUT = 1.5
"""Seconds each half gets to finish what it is doing; the rest resumes from the store."""


class GatewayService:
    def __init__(self, settings: Settings) -> None:
        self.driver = make_driver(settings)
        self.store = Store(settings.gateway_database_url)
        self.store.create_tables()
        self.deliverer = Deliverer(self.store, settings)
        self.health = Health(
            self.store, self.driver, on_change=self._wake, on_callback=self.deliverer.wake
        )
        self.watchdog = Watchdog(
            self.store, self.driver, health=self.health, interval=settings.probe_interval
        )
        self.pace = Pace(settings.pace) if self.driver.is_paced else None
        self.sender = Sender(
            self.store,
            self.driver,
            pace=self.pace,
            is_ready=self.health.is_ready,
            on_callback=self.deliverer.wake,
        )
        self.media = MediaLane(
            self.store,
            self.driver,
            settings=settings.media,
            folder=settings.var_dir / "media",
            is_ready=self.health.is_ready,
            on_callback=self.deliverer.wake,
        )
        self.updates = UpdateReader(self.store, self.driver, on_event=self._hear_event)
        self.recorder = Recorder(
            self.store,
            on_event=self._hear_event,
            on_state=self._hear_state,
            on_update=self.updates.wake,
        )
        self._sends_read_receipts = settings.read_receipts
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
        for part in (self.sender, self.deliverer, self.media, self.updates, self.watchdog):
            part.start()
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
        self.watchdog.stop()
        self.driver.disconnect()
        if self._running.is_set():
            for lanes in (self.sender, self.deliverer, self.media, self.updates):
                lanes.stop(STOP_TIMEOUT)
        self.store.close()
        self._only.release()

    def _hear_event(self) -> None:
        """What WhatsApp reported is stored: there are callbacks to bring, perhaps files to get."""
        self.deliverer.wake()
        self.media.wake()

    def _hear_state(self) -> None:
        """The driver reports a state, perhaps the one shown, after one that nobody was told of."""
        self.health.refresh()
        self.sender.wake()
        self.media.wake()

    def _wake(self) -> None:
        """The state has changed: what waited for it may go on, what relied on it is looked at."""
        for part in (self.sender, self.media, self.watchdog):
            part.wake()

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
        state = self.health.state()
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
        """Forget a chat: texts, queued sends, callbacks, updates, files; returns how many."""
        # One update may bring the messages of several chats: only read it can be let go.
        self.updates.catch_up(without=chat)
        with self.store.transaction() as connection:
            erased = sends.erase_chat(connection, chat, at=now())
            erased += callbacks.erase_chat(connection, chat)
            erased += updates.erase_chat(connection, chat)
            files = media.erase_chat(connection, chat)
        self.media.files.remove(files)
        return erased + len(files)

    def mark_read(self, chat: str, whatsapp_ids: Sequence[str]) -> bool:
        """Tell the customer, where READ_RECEIPTS allows it and the driver can; False: not told.

        Raises NotConnectedError and DriverError.
        """
        if not (self._sends_read_receipts and isinstance(self.driver, MarksRead)):
            return False
        self._require_ready()
        self.driver.mark_read(chat, whatsapp_ids)
        return True

    def status(self) -> dict[str, object]:
        """The truth about the connection and the queues; no text, no phone."""
        return read_status(self.store, self.driver, health=self.health, pace=self.pace)


def current_gateway() -> GatewayService:
    """The service of the app that handles this request."""
    service: GatewayService = current_app.extensions["gateway"]
    return service
