"""The phones that the page shows: who they belong to and the last lines of each chat."""

import threading
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.clock import to_iso
from gateway.drivers.events import Inbound, Receipt
from gateway.drivers.simulator.journal import Received
from gateway.drivers.simulator.people import CAST

MAX_PHONES = 60
MAX_LINES = 30


@dataclass(slots=True, kw_only=True)
class Line:
    """One bubble; `ack` is None for what the customer wrote, `read` is None for what we wrote."""

    text: str
    at: float
    whatsapp_id: str
    ack: int | None = None
    read: bool | None = None
    """Whether the customer has been told that it was read."""
    media: str | None = None

    def as_json(self) -> dict[str, object]:
        return {
            "text": self.text,
            "at": to_iso(self.at),
            "whatsapp_id": self.whatsapp_id,
            "ack": self.ack,
            "read": self.read,
            "media": self.media,
        }


@dataclass(slots=True, kw_only=True)
class Phone:
    phone: str
    name: str
    picture: int = 1
    lines: deque[Line] = field(default_factory=lambda: deque(maxlen=MAX_LINES))


class Phones:
    """A bounded memory of chats; the cast always stays."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._phones: OrderedDict[str, Phone] = OrderedDict(
            (person.phone, Phone(phone=person.phone, name=person.name)) for person in CAST
        )

    def show_inbound(self, event: Inbound) -> None:
        with self._lock:
            phone = self._get(event.chat)
            phone.name = event.name or phone.name
            line = Line(text=event.text, at=event.at, whatsapp_id=event.whatsapp_id, read=False)
            line.media = None if event.media is None else event.media.kind
            phone.lines.append(line)

    def show_received(self, entry: Received, *, ack: int = 1) -> None:
        with self._lock:
            line = Line(text=entry.text, at=entry.at, whatsapp_id=entry.whatsapp_id, ack=ack)
            self._get(entry.to).lines.append(line)

    def show_receipt(self, receipt: Receipt) -> None:
        with self._lock:
            for line in self._get(receipt.chat).lines:
                if line.whatsapp_id == receipt.whatsapp_id and line.ack is not None:
                    line.ack = max(line.ack, receipt.ack)

    def show_read(self, chat: str, whatsapp_ids: Sequence[str]) -> None:
        """We gave a read receipt for these messages of the customer."""
        with self._lock:
            for line in self._get(chat).lines:
                if line.whatsapp_id in whatsapp_ids and line.read is not None:
                    line.read = True

    def change_picture(self, phone: str) -> int:
        """Returns the number of the new picture."""
        with self._lock:
            owner = self._get(phone)
            owner.picture += 1
            return owner.picture

    def as_json(self) -> list[dict[str, object]]:
        with self._lock:
            return [
                {
                    "phone": phone.phone,
                    "name": phone.name,
                    "picture": phone.picture,
                    "lines": [line.as_json() for line in phone.lines],
                }
                for phone in self._phones.values()
            ]

    def _get(self, phone: str) -> Phone:
        if phone not in self._phones:
            self._phones[phone] = Phone(phone=phone, name=f"+{phone}")
            if len(self._phones) > MAX_PHONES:
                del self._phones[list(self._phones)[len(CAST)]]
        return self._phones[phone]
