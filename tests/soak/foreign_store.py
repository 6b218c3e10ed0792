"""What the foreign gateway's WhatsApp received: an append-only, fsynced log."""

import json
import os
import random
import secrets
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Store:
    """Takes each (message, attempt) once, also after a kill."""

    def __init__(self, path: Path) -> None:
        self._path, self._done = path, path.with_suffix(".done")
        self._lock = threading.Lock()
        self._known = {(entry["backend_message_id"], entry["attempt"]) for entry in self.entries()}
        self._settled = set(_lines(self._done))

    def entries(self) -> Iterator[dict[str, Any]]:
        for line in _lines(self._path):
            yield json.loads(line)

    def unsettled(self) -> list[dict[str, Any]]:
        """Taken, and the backend has not heard all of it."""
        return [entry for entry in self.entries() if entry["whatsapp_id"] not in self._settled]

    def take(self, order: dict[str, Any]) -> dict[str, Any] | None:
        """Write it down; None for a repeat."""
        entry = {
            "backend_message_id": order["backend_message_id"],
            "attempt": order.get("attempt", 1),
            "to": order["to"],
            "text": order["message"],
            "whatsapp_id": f"3EB0{secrets.token_hex(9).upper()}",
            "at": time.time(),
        }
        with self._lock:
            if (entry["backend_message_id"], entry["attempt"]) in self._known:
                return None
            _append(self._path, json.dumps(entry))
            self._known.add((entry["backend_message_id"], entry["attempt"]))
        return entry

    def settle(self, entry: dict[str, Any]) -> None:
        """The backend has heard all of it."""
        with self._lock:
            _append(self._done, entry["whatsapp_id"])


def _append(path: Path, line: str) -> None:
    with path.open("ab+") as file:
        file.seek(0, os.SEEK_END)
        if file.tell() and not _ends_whole(path):
            file.write(b"\n")
        file.write(line.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _lines(path: Path) -> Iterator[str]:
    """Whole lines; a line that a kill cut off was never answered for."""
    if path.exists():
        with path.open("rb") as file:
            for line in file:
                if line.endswith(b"}\n") or (line.endswith(b"\n") and not line.startswith(b"{")):
                    yield line.decode().strip()


def shuffled(rng: random.Random, calls: list[Any]) -> list[Any]:
    """The same calls, some of them doubled, in any order."""
    more = calls + [call for call in calls if rng.random() < 0.3]
    if rng.random() < 0.4:
        rng.shuffle(more)
    return more
