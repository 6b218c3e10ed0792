"""The driver `simulator`: a pretend WhatsApp inside the gateway's process."""

import secrets
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from flask import Flask
from werkzeug.exceptions import ServiceUnavailable

from config.settings import Settings
from gateway.clock import now
from gateway.drivers.base import (
    DriverState,
    EventSink,
    PermanentError,
    TemporaryError,
    UnreadableError,
)
from gateway.drivers.events import (
    ACK_READ,
    Event,
    Inbound,
    Media,
    Outgoing,
    Picture,
    Receipt,
    Template,
)
from gateway.drivers.simulator.faults import Faults
from gateway.drivers.simulator.files import Files
from gateway.drivers.simulator.journal import Journal, make_whatsapp_id
from gateway.drivers.simulator.misbehaviour import Misbehaviour, strikes
from gateway.drivers.simulator.people import Crowd, Person
from gateway.drivers.simulator.phones import Phones
from gateway.drivers.simulator.receipts import Receipts
from gateway.drivers.simulator.routes import make_blueprint
from gateway.drivers.simulator.timeline import Timeline

PAUSE = 1.0
"""Seconds until a send that failed for now is tried again."""
USUAL_PORT = 3002
PHOTO_CHANCE = 10
"""Percent of the pretend customers' lines that come with a picture."""
REVIVALS_UNTIL_CODE = 3


class Simulator:
    """Remembers in `VAR_DIR` what it received; chats and misbehaviour end with the process."""

    name = "simulator"
    idempotent = True
    is_paced = False

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sink: EventSink | None = None
        self._stopping = threading.Event()
        self._held: list[Inbound] = []
        self._revivals = 0
        self.probes = 0
        self.files = Files()
        self._timeline = Timeline()
        self.misbehaviour = Misbehaviour()
        self.phones = Phones()
        self.journal = Journal(settings.var_dir)
        self.crowd = Crowd(self._timeline, say=self._say, change_picture=self._change_picture)
        self._receipts = Receipts(
            self._timeline,
            self.journal,
            misbehaviour=lambda: self.misbehaviour,
            is_connected=self._is_connected,
            give=self._give,
        )

    def connect(self, sink: EventSink) -> None:
        self.journal.load()
        for entry in self.journal.entries():
            self.phones.show_received(entry)
        self._sink = sink
        self._receipts.resume_after_restart()
        self._timeline.start()
        # Tests want silence: they start with nobody there.
        self.crowd.set_active(self._settings.simulator_people)
        sink.state_changed(self.state())

    def disconnect(self) -> None:
        self._stopping.set()
        self._timeline.stop()

    def state(self) -> DriverState:
        return DriverState.STARTING if self._sink is None else self.misbehaviour.connection

    def qr(self) -> str | None:
        if self.state() is not DriverState.NEED_QR:
            return None
        return f"2@{secrets.token_urlsafe(48)}"

    def advice(self) -> str | None:
        return None

    def probe(self) -> None:
        self.probes += 1
        self._require_answer()

    def revive(self) -> None:
        """End the silence, or, where that is the order, find out that a new code is needed."""
        if not self.misbehaviour.silent:
            return
        self._revivals += 1
        if self.misbehaviour.revives:
            self.misbehave({"silent": False})
        elif self._revivals >= REVIVALS_UNTIL_CODE:
            self.misbehave({"silent": False, "connection": DriverState.NEED_QR})

    def mark_read(self, chat: str, whatsapp_ids: Sequence[str]) -> None:
        self._require_answer()
        self.phones.show_read(chat, whatsapp_ids)

    def read_update(self, raw: str) -> list[Event]:
        raise UnreadableError("The simulator keeps no updates.")

    def fetch_media(self, reference: str) -> Iterator[bytes]:
        self._require_answer()
        if strikes(self.misbehaviour.media_failures):
            raise TemporaryError("failing on order", delay=PAUSE)
        return self.files.read(reference)

    def templates(self) -> list[Template]:
        return []

    def mount(self, app: Flask) -> None:
        Faults(lambda: self.misbehaviour, stopping=self._stopping).add_to(app)
        if self._settings.simulator_enabled:
            app.register_blueprint(make_blueprint(self))

    def send(self, outgoing: Outgoing) -> str:
        ordered = self.misbehaviour
        self._stopping.wait(ordered.send_delay)
        self._require_answer()
        if outgoing.chat in ordered.refused:
            raise PermanentError("refused", "WhatsApp refuses messages to this number.")
        if strikes(ordered.failing_sends):
            raise TemporaryError("failing on order", delay=PAUSE)
        entry, is_new = self.journal.receive(outgoing)
        if is_new:
            self.phones.show_received(entry)
            if ordered.reversed_acks:
                self._receipts.rush(entry)
            else:
                self._receipts.expect(entry)
        return entry.whatsapp_id

    def misbehave(self, changes: dict[str, Any]) -> None:
        """Change what is named of the misbehaviour, and catch up if that reconnects us."""
        before, ordered = self.misbehaviour, replace(self.misbehaviour, **changes)
        self.misbehaviour = ordered
        if not ordered.silent:
            self._revivals = 0
        if self._sink is None:
            return
        if before.connection is not ordered.connection:
            self._sink.state_changed(ordered.connection)
        if self._is_connected() and not _is_alive(before):
            while self._held:
                self._sink.inbound(self._held[0])
                del self._held[0]
            self._receipts.release_held()

    def write(
        self,
        phone: str,
        text: str,
        *,
        name: str | None,
        whatsapp_id: str | None = None,
        media: Media | None = None,
    ) -> Inbound:
        """A customer writes. While disconnected, WhatsApp keeps it for us, as long as it runs."""
        if self._sink is None or self._stopping.is_set():
            raise ServiceUnavailable("The pretend WhatsApp is starting or stopping.", retry_after=1)
        event = Inbound(
            chat=phone,
            text=text,
            name=name,
            whatsapp_id=whatsapp_id or make_whatsapp_id(),
            at=now(),
            media=media,
        )
        if self._sink is not None and self._is_connected():
            self._sink.inbound(event)
        else:
            self._held.append(event)
        self.phones.show_inbound(event)
        return event

    def _is_connected(self) -> bool:
        is_ready = self.state() is DriverState.READY
        return is_ready and not self.misbehaviour.silent and not self._stopping.is_set()

    def _require_answer(self) -> None:
        """Raises TemporaryError where WhatsApp cannot be talked to; in silence, after a while."""
        if self.misbehaviour.silent:
            self._stopping.wait(self.misbehaviour.silent_seconds)
        if not self._is_connected():
            raise TemporaryError("not connected", delay=PAUSE)

    def _say(self, person: Person, text: str) -> bool:
        if not self._is_connected():
            return False
        photo = self.files.draw(make_whatsapp_id()) if strikes(PHOTO_CHANCE) else None
        self.write(person.phone, text, name=person.name, media=photo)
        return True

    def _give(self, receipt: Receipt) -> None:
        if self._sink is not None:
            self._sink.receipt(receipt)
        self.phones.show_receipt(receipt)
        if receipt.ack == ACK_READ:
            self.crowd.hear(receipt.chat)

    def _change_picture(self, person: Person) -> None:
        number = self.phones.change_picture(person.phone)
        if self._sink is not None and not self._settings.is_production:
            # Production takes pictures from https only, which nobody serves here.
            port = self._settings.port or USUAL_PORT
            url = f"http://127.0.0.1:{port}/simulator/pictures/{person.phone}.svg?v={number}"
            self._sink.picture(Picture(chat=person.phone, url=url))


def _is_alive(ordered: Misbehaviour) -> bool:
    return ordered.connection is DriverState.READY and not ordered.silent
