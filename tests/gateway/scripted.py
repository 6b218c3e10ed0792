"""A driver that does what its test says, and records what was asked of it."""

import threading
from collections.abc import Callable, Iterator

from gateway.drivers.base import DriverState
from gateway.drivers.events import Outgoing


class ScriptedDriver:
    name = "scripted"
    is_paced = True

    def __init__(self, *, idempotent: bool = True) -> None:
        self.idempotent = idempotent
        self.current = DriverState.READY
        self.sent: list[Outgoing] = []
        self.script: dict[int, list[Exception]] = {}
        self.released = threading.Event()
        self.released.set()
        self.probes = 0
        self.revivals = 0
        self.on_probe: Callable[[], None] = lambda: None
        self.on_revive: Callable[[], None] = lambda: None
        self.files: dict[str, Callable[[], Iterator[bytes]]] = {}

    def state(self) -> DriverState:
        return self.current

    def advice(self) -> str | None:
        return None

    def send(self, outgoing: Outgoing) -> str:
        self.sent.append(outgoing)
        self.released.wait(30)
        errors = self.script.get(outgoing.backend_message_id)
        if errors:
            raise errors.pop(0)
        return f"WA{outgoing.backend_message_id}"

    def ids(self) -> list[int]:
        return [outgoing.backend_message_id for outgoing in self.sent]

    def probe(self) -> None:
        self.probes += 1
        self.on_probe()

    def revive(self) -> None:
        self.revivals += 1
        self.on_revive()

    def fetch_media(self, reference: str) -> Iterator[bytes]:
        return self.files[reference]()
