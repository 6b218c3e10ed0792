"""What the pretend WhatsApp received, in append-only files that survive any kill."""

import json
import os
import secrets
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gateway.clock import now
from gateway.drivers.events import Outgoing


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One message that arrived at the far side; one line of the journal."""

    backend_message_id: int
    attempt: int
    to: str
    whatsapp_id: str
    text: str
    at: float


def make_whatsapp_id() -> str:
    """An id of WhatsApp's usual form: 3EB0 and 18 upper-case hexadecimal digits."""
    return f"3EB0{secrets.token_hex(9).upper()}"


class AppendOnlyFile:
    """JSON lines; a line is whole or, after a kill in mid-write, cut off by `repair`."""

    def __init__(self, path: Path, *, synced: bool) -> None:
        self._path = path
        self._synced = synced

    def repair(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.touch()
        with self._path.open("rb+") as file:
            file.truncate(sum(len(line) for line in file if line.endswith(b"\n")))

    def append(self, entry: object) -> None:
        with self._path.open("ab") as file:
            file.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")
            file.flush()
            if self._synced:
                os.fsync(file.fileno())

    def lines(self) -> Iterator[dict[str, Any]]:
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    yield json.loads(line)


class Journal:
    """The far side's memory: each message of the backend arrives once, however often it is sent.

    `simulator.jsonl` holds one line per message received, `simulator_receipts.jsonl` one per
    receipt given, so that a restart still gives the missing ones.
    """

    def __init__(self, folder: Path) -> None:
        self._received = AppendOnlyFile(folder / "simulator.jsonl", synced=True)
        self._receipts = AppendOnlyFile(folder / "simulator_receipts.jsonl", synced=False)
        self._lock = threading.Lock()
        self._known: dict[int, str] = {}

    def load(self) -> None:
        """Remember what earlier processes received. Call it as the only process."""
        self._received.repair()
        self._receipts.repair()
        self._known = {entry.backend_message_id: entry.whatsapp_id for entry in self.entries()}

    def entries(self) -> Iterator[Received]:
        """Every message received, in order."""
        for line in self._received.lines():
            yield Received(**line)

    def receive(self, outgoing: Outgoing) -> tuple[Received, bool]:
        """Write the message down; returns it, and whether it is new."""
        with self._lock:
            known = self._known.get(outgoing.backend_message_id)
            entry = Received(
                backend_message_id=outgoing.backend_message_id,
                attempt=outgoing.attempt,
                to=outgoing.chat,
                whatsapp_id=known or make_whatsapp_id(),
                text=outgoing.text,
                at=now(),
            )
            if known is None:
                self._received.append(asdict(entry))
                self._known[entry.backend_message_id] = entry.whatsapp_id
            return entry, known is None

    def note_receipt(self, whatsapp_id: str, ack: int) -> None:
        with self._lock:
            self._receipts.append({"whatsapp_id": whatsapp_id, "ack": ack})

    def acks_given(self) -> dict[str, int]:
        """The highest ack given to each message, by WhatsApp's id."""
        given: dict[str, int] = {}
        for line in self._receipts.lines():
            whatsapp_id = line["whatsapp_id"]
            given[whatsapp_id] = max(line["ack"], given.get(whatsapp_id, 0))
        return given

    def __len__(self) -> int:
        return len(self._known)
