"""What a driver is: the one interface between the gateway and a kind of WhatsApp."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from flask import Flask


class DriverState(StrEnum):
    STARTING = "starting"
    NEED_QR = "need_qr"
    READY = "ready"
    DEGRADED = "degraded"
    LOGGED_OUT = "logged_out"
    BANNED = "banned"


ACK_DELIVERED = 2
ACK_READ = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A text to send. The backend's message id is its idempotency key."""

    backend_message_id: int
    attempt: int
    chat: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """A customer wrote. `at` is Unix time, here and below."""

    chat: str
    text: str
    name: str | None
    whatsapp_id: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """WhatsApp proved something about a message of ours: ack 2 delivered, 3 read, 4 played."""

    chat: str
    whatsapp_id: str
    ack: int
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A customer has a new picture."""

    chat: str
    url: str


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


class EventSink(Protocol):
    """Where a driver reports. When a call returns, the event is stored; if it raises, it is not."""

    def inbound(self, event: Inbound) -> None: ...

    def receipt(self, event: Receipt) -> None: ...

    def picture(self, event: Picture) -> None: ...

    def state_changed(self, state: DriverState) -> None: ...


class Driver(Protocol):
    """One connection to one kind of WhatsApp. Called from several threads at once."""

    name: str
    idempotent: bool
    """True: sending the same `backend_message_id` again returns the first `whatsapp_id`."""

    def connect(self, sink: EventSink) -> None:
        """Begin; returns at once. The driver then keeps itself connected and reports changes."""

    def disconnect(self) -> None:
        """End within a second or so; the session is kept."""

    def send(self, outgoing: Outgoing) -> str:
        """Send and return WhatsApp's id. Raises a DriverError."""

    def state(self) -> DriverState: ...

    def qr(self) -> str | None:
        """The code to scan, where one is needed."""

    def mount(self, app: Flask) -> None:
        """Add the driver's own routes, if it has any."""
