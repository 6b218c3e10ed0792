"""What WhatsApp told us, on its way into the gateway's store."""

from __future__ import annotations

import contextvars
import queue
import threading
from dataclasses import replace

import structlog

from gateway.backoff import pause_before
from gateway.drivers.base import EventSink
from gateway.drivers.events import Event, Failure, Inbound, Picture, Receipt
from gateway.drivers.web.addresses import Customer, Directory
from gateway.drivers.web.line import Address, Proto
from gateway.drivers.web.people import People
from gateway.drivers.web.reports import REPORTS
from gateway.store.database import STORE_AWAY

log = structlog.get_logger(__name__)

MAX_LOGGED = 128


class Inbox:
    """One thread that reports in order, and tries again while the store is away."""

    def __init__(self, directory: Directory, people: People) -> None:
        self._directory = directory
        self._people = people
        self._queue: queue.SimpleQueue[Proto | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, sink: EventSink) -> None:
        run = contextvars.copy_context().run
        self._thread = threading.Thread(
            target=run, args=(self._work, sink), name="whatsapp-inbox", daemon=True
        )
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Store what has arrived, as far as the store answers at once."""
        self._stopping.set()
        self._queue.put(None)
        if self._thread is not None:
            self._thread.join(timeout)

    def put(self, event: Proto) -> None:
        """Called on threads of Go: returns at once."""
        self._queue.put(event)

    def _work(self, sink: EventSink) -> None:
        while (event := self._queue.get()) is not None:
            for report in self._read(event):
                self._store(sink, report)

    def _read(self, event: Proto) -> list[Event]:
        try:
            reports = REPORTS[event.DESCRIPTOR.name](event, self._directory)
            for report in reports:
                if isinstance(report, Inbound):
                    self._meet(report, event.Info.MessageSource.Chat)
        except Exception:
            log.exception("event_not_understood", kind=event.DESCRIPTOR.name)
            return []
        return reports

    def _meet(self, report: Inbound, at: Proto) -> None:
        customer = Customer(chat=report.chat, lid=report.lid)
        self._people.hear_from(customer, Address(user=at.User, server=at.Server))

    def _store(self, sink: EventSink, report: Event) -> None:
        """What cannot be stored now never can be: it must not hold up what comes after it."""
        try:
            self._insist(sink, report)
        except Exception as error:
            _warn("event_not_storable", report, error)
            if isinstance(report, Inbound) and report.media is not None:
                self._store(sink, replace(report, media=None))

    def _insist(self, sink: EventSink, report: Event) -> None:
        """Until the store is back, while the process lives."""
        tries = 0
        while True:
            try:
                return _tell(sink, report)
            except STORE_AWAY as error:
                tries += 1
                _warn("event_not_stored", report, error)
                if self._stopping.wait(pause_before(tries)):
                    return


def _warn(what: str, report: Event, error: Exception) -> None:
    """Without the error's own words, which may hold what a customer wrote."""
    whatsapp_id = None if isinstance(report, Picture) else report.whatsapp_id[:MAX_LOGGED]
    kind = type(report).__name__
    log.error(what, kind=kind, whatsapp_id=whatsapp_id, error=type(error).__name__)


def _tell(sink: EventSink, report: Event) -> None:
    match report:
        case Inbound():
            sink.inbound(report)
        case Receipt():
            sink.receipt(report)
        case Picture():
            sink.picture(report)
        case Failure():
            sink.failure(report)
