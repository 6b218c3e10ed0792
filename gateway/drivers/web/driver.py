"""The driver `web`: WhatsApp Web over neonize."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module

import httpx
from flask import Flask

from config.settings import Settings
from gateway.access import require_internal
from gateway.drivers.base import DriverState, EventSink, UnreadableError
from gateway.drivers.events import Event, Outgoing, Template
from gateway.drivers.web.addresses import Customer
from gateway.drivers.web.asking import Asker
from gateway.drivers.web.connection import Connection, slow_pause
from gateway.drivers.web.files import Downloads
from gateway.drivers.web.inbox import Inbox
from gateway.drivers.web.line import Address, Line, LineError
from gateway.drivers.web.packages import require_packages
from gateway.drivers.web.people import People
from gateway.drivers.web.sending import Phonebook, mark_read, send_text
from gateway.drivers.web.storage import session_database

WHATSAPP = "https://web.whatsapp.com/"
KNOCK_TIMEOUT = 10.0
PATIENCE = 15.0
"""Seconds that WhatsApp has to answer a probe."""
STOP_TIMEOUT = 1.0
BACKLOG_TIMEOUT = 4.0
"""Seconds to store what WhatsApp believes to have arrived; gunicorn leaves seven for all."""


class WebDriver:
    """Built in gunicorn's master too: nothing is started, and neonize not loaded, until connect."""

    name = "web"
    idempotent = False
    is_paced = True

    def __init__(
        self,
        settings: Settings,
        *,
        open_line: Callable[[], Line] | None = None,
        knock: Callable[[], bool] | None = None,
        pause: Callable[[int], float] = slow_pause,
    ) -> None:
        if open_line is None:
            require_packages()
        self._settings = settings
        self._people = People()
        self._inbox = Inbox(self, self._people)
        self._downloads = Downloads(max_bytes=settings.media.max_bytes)
        self._phonebook = Phonebook()
        self._asker = Asker(PATIENCE)
        self._connection = Connection(
            open_line or self._open_line,
            knock=knock or reach_whatsapp,
            on_event=self._inbox.put,
            pause=pause,
        )

    def connect(self, sink: EventSink) -> None:
        self._inbox.start(sink)
        self._connection.start(sink.state_changed)

    def disconnect(self) -> None:
        self._connection.stop(STOP_TIMEOUT)
        self._inbox.stop(BACKLOG_TIMEOUT)

    def send(self, outgoing: Outgoing) -> str:
        line = self._connection.line()
        self._people.write_to(outgoing.chat)
        return send_text(outgoing, line, self._phonebook)

    def mark_read(self, chat: str, whatsapp_ids: Sequence[str]) -> None:
        mark_read(whatsapp_ids, self._people.address(chat), line=self._connection.line())

    def state(self) -> DriverState:
        return self._connection.condition.state

    def advice(self) -> str | None:
        return self._connection.condition.advice

    def qr(self) -> str | None:
        return self._connection.code()

    def probe(self) -> None:
        self._asker.ask(self._connection.line().ask)

    def revive(self) -> None:
        self._connection.redial()

    def read_update(self, raw: str) -> list[Event]:
        raise UnreadableError("WhatsApp Web keeps no updates.")

    def fetch_media(self, reference: str) -> Iterator[bytes]:
        return self._downloads.fetch(reference, self._connection.line())

    def templates(self) -> list[Template]:
        return []

    def mount(self, app: Flask) -> None:
        @app.post("/qr")
        def ask_for_code() -> tuple[dict[str, str], int]:
            """Begin a new round of codes, or connect again where the session still stands."""
            require_internal(self._settings)
            self._connection.resume()
            return {"status": "accepted"}, 202

    def find_phone(self, lid: str) -> str | None:
        """The phone behind a LID, where WhatsApp has told it."""
        try:
            return self._connection.current_line().find_phone(lid)
        except LineError:
            return None

    def find_lid(self, phone: str) -> str | None:
        """The LID of a phone, where WhatsApp has told it."""
        try:
            return self._connection.current_line().find_lid(phone)
        except LineError:
            return None

    def is_ours(self, address: Address) -> bool:
        """Whether it is this number's own."""
        try:
            return address in self._connection.current_line().own_addresses()
        except LineError:
            return False

    def has_met(self, customer: Customer) -> bool:
        """Whether they wrote or were written to while this process lives."""
        return self._people.has_met(customer)

    def _open_line(self) -> Line:
        # Loaded here and nowhere else: see the module's own words.
        client = import_module("gateway.drivers.web.client")
        line: Line = client.NeonizeLine(session_database(self._settings))
        return line


def reach_whatsapp() -> bool:
    """Whether WhatsApp's server can be reached at all, through the proxy where one is set."""
    try:
        httpx.head(WHATSAPP, timeout=KNOCK_TIMEOUT)
    except httpx.HTTPError:
        return False
    return True
