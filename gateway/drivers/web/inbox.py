"""What WhatsApp told us, on its way into the gateway's store."""

from __future__ import annotations

import contextvars
import queue
import threading

import structlog

from gateway.backoff import pause_before
from gateway.drivers.base import EventSink
from gateway.drivers.events import Event, Failure, Inbound, Picture, Receipt
from gateway.drivers.web.addresses import Directory
from gateway.drivers.web.line import Proto
from gateway.drivers.web.reports import REPORTS

log = structlog.get_logger(__name__)


class Inbox:
    """One thread that reports in order, and tries until it is stored, while the process lives."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
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
                self._insist(sink, report)

    def _read(self, event: Proto) -> list[Event]:
        try:
            return REPORTS[event.DESCRIPTOR.name](event, self._directory)
        except Exception:
            log.exception("event_not_understood", kind=event.DESCRIPTOR.name)
            return []

    def _insist(self, sink: EventSink, report: Event) -> None:
        tries = 0
        while True:
            try:
                return _tell(sink, report)
            except Exception:
                tries += 1
                log.exception("event_not_stored", tries=tries)
                if self._stopping.wait(pause_before(tries)):
                    return


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
