"""An event sink that remembers, for tests of a driver by itself."""

from gateway.drivers.base import DriverState
from gateway.drivers.events import Event, Failure, Inbound, Picture, Receipt


class RecordingSink:
    def __init__(self) -> None:
        self.events: list[Event] = []
        self.updates: list[str] = []
        self.states: list[DriverState] = []

    def inbound(self, event: Inbound) -> None:
        self.events.append(event)

    def receipt(self, event: Receipt) -> None:
        self.events.append(event)

    def failure(self, event: Failure) -> None:
        self.events.append(event)

    def picture(self, event: Picture) -> None:
        self.events.append(event)

    def update(self, raw: str) -> None:
        self.updates.append(raw)

    def state_changed(self, state: DriverState) -> None:
        self.states.append(state)
