"""What the suite needs of the WhatsApp behind a driver. To add a driver: one class, one line.

The class goes beside this file and its line into `FAR_SIDES` of `conftest.py`. Every case then runs
with it.
"""

from dataclasses import dataclass
from typing import Protocol

from gateway.drivers.base import Driver
from gateway.drivers.events import Event
from tests.gateway.sink import RecordingSink


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A message that reached WhatsApp."""

    to: str
    text: str
    whatsapp_id: str


class FarSide(Protocol):
    """A pretend WhatsApp, and the driver that is to be connected to it."""

    driver: Driver

    def start(self) -> None:
        """Listen; the driver is not connected yet."""

    def stop(self) -> None:
        """End everything that was started, whether the driver was disconnected or not."""

    def customer_writes(self, phone: str, text: str, name: str) -> None: ...

    def delivers(self, whatsapp_id: str) -> None:
        """The customer's phone gets a message of ours. Empty where that happens by itself."""

    def reads(self, whatsapp_id: str) -> None:
        """The customer opens it. Empty where that happens by itself."""

    def received(self) -> list[Received]:
        """What reached WhatsApp, in order."""

    def refuse(self, phone: str) -> None:
        """Refuse for good whatever is sent to this phone."""

    def go_away(self) -> None:
        """Be out of reach: what is sent now does not arrive."""

    def come_back(self) -> None: ...


class ReadingSink(RecordingSink):
    """Reads kept updates at once, as the gateway does in its own time."""

    def __init__(self, driver: Driver) -> None:
        super().__init__()
        self._driver = driver

    def update(self, raw: str) -> None:
        super().update(raw)
        self.events += self._driver.read_update(raw)

    def of(self, kind: type[Event]) -> list[Event]:
        """The events of one kind, in order."""
        return [event for event in list(self.events) if isinstance(event, kind)]
