"""What a driver is: the one interface between the gateway and a kind of WhatsApp."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flask import Flask

    from gateway.drivers.events import (
        Event,
        Failure,
        Inbound,
        Outgoing,
        Picture,
        Receipt,
        Template,
    )


class DriverState(StrEnum):
    STARTING = "starting"
    NEED_QR = "need_qr"
    READY = "ready"
    DEGRADED = "degraded"
    LOGGED_OUT = "logged_out"
    BANNED = "banned"


class DriverError(Exception):
    """A send that did not succeed. The class says what to do next.

    DriverError
    ├── TemporaryError        nothing was sent: the same send again after `delay` seconds
    ├── PermanentError        nothing was sent and nothing will be: `code` and `reason` say why
    └── UnknownOutcomeError   it may have been sent
    """


class TemporaryError(DriverError):
    def __init__(self, reason: str, *, delay: float) -> None:
        super().__init__(reason)
        self.delay = delay


class PermanentError(DriverError):
    """`retryable`: an agent may sensibly order it again."""

    def __init__(self, code: str, reason: str, *, retryable: bool = False) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.retryable = retryable


class UnknownOutcomeError(DriverError):
    pass


class UnreadableError(ValueError):
    """A kept update, or a part of it, is not readable; `events` is what the rest reports."""

    def __init__(self, reason: str, *, events: Sequence[Event] = ()) -> None:
        super().__init__(reason)
        self.events = events


class EventSink(Protocol):
    """Where a driver reports. When a call returns, the event is stored; if it raises, it is not."""

    def inbound(self, event: Inbound) -> None: ...

    def receipt(self, event: Receipt) -> None: ...

    def failure(self, event: Failure) -> None: ...

    def picture(self, event: Picture) -> None: ...

    def update(self, raw: str) -> None:
        """Keep what arrived as it arrived; `Driver.read_update` makes events of it afterwards."""

    def state_changed(self, state: DriverState) -> None: ...


class Driver(Protocol):
    """One connection to one kind of WhatsApp. Called from several threads at once."""

    name: str
    idempotent: bool
    """True: sending the same `backend_message_id` again returns the first `whatsapp_id`."""
    is_paced: bool
    """True: WhatsApp looks askance at haste, so sends keep the gateway's pace."""

    def connect(self, sink: EventSink) -> None:
        """Begin; returns at once. The driver then keeps itself connected and reports changes."""

    def disconnect(self) -> None:
        """End within a second or so; the session is kept."""

    def send(self, outgoing: Outgoing) -> str:
        """Send and return WhatsApp's id. Raises a DriverError."""

    def state(self) -> DriverState: ...

    def advice(self) -> str | None:
        """What a person should do about the state, in one sentence; None: nothing."""

    def qr(self) -> str | None:
        """The code to scan, where one is needed."""

    def probe(self) -> None:
        """Ask WhatsApp what only a living connection answers. Raises a DriverError in 20 s."""

    def revive(self) -> None:
        """Build a connection that looks alive and is dead anew; the session is kept."""

    def read_update(self, raw: str) -> Sequence[Event]:
        """Everything that a kept update reports. Raises UnreadableError where some is not."""

    def fetch_media(self, reference: str) -> Iterator[bytes]:
        """A file's bytes, piece by piece. Raises a DriverError, at once or between pieces."""

    def templates(self) -> Sequence[Template]:
        """The templates that may be sent now. Raises a DriverError."""

    def mount(self, app: Flask) -> None:
        """Add the driver's own routes, if it has any."""


@runtime_checkable
class MarksRead(Protocol):
    """A driver that can tell customers that their messages were read; not all can."""

    def mark_read(self, chat: str, whatsapp_ids: Sequence[str]) -> None:
        """Give a read receipt for messages of this chat. Raises a DriverError."""
