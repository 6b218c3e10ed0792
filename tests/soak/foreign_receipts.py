"""What the foreign gateway tells the backend: late, doubled, in the wrong order, once untrue."""

import queue
import random
import threading
import time
from typing import Any

import httpx

from tests.soak.foreign_store import Store, shuffled

THREADS = 6
LATEST = 3.0
LIE = 0.02
"""Share of messages said to have failed although they went out."""


class Receipts:
    """Says everything about each message until the backend has answered 2xx to all of it."""

    def __init__(self, store: Store, backend: str, rng: random.Random) -> None:
        self._store, self._rng = store, rng
        self._backend = backend
        self._queue: queue.PriorityQueue[tuple[float, int, dict[str, Any]]] = queue.PriorityQueue()

    def start(self) -> None:
        """Begin, with what an earlier process had left to say."""
        for entry in self._store.unsettled():
            self.expect(entry)
        for number in range(THREADS):
            threading.Thread(target=self._run, name=f"receipts {number}", daemon=True).start()

    def expect(self, entry: dict[str, Any]) -> None:
        at = time.time() + self._rng.uniform(0, LATEST)
        self._queue.put((at, entry["backend_message_id"], entry))

    def _run(self) -> None:
        with httpx.Client(base_url=self._backend, timeout=10, trust_env=False) as client:
            while True:
                at, _, entry = self._queue.get()
                time.sleep(max(0.0, at - time.time()))
                for path, body in self._story(entry):
                    self._tell(client, path, body)
                self._store.settle(entry)

    def _story(self, entry: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        message_id, whatsapp_id = entry["backend_message_id"], entry["whatsapp_id"]
        calls = [
            ("/messages/map", {"backend_id": message_id, "whatsapp_id": whatsapp_id}),
            ("/messages/ack", {"message_id": whatsapp_id, "ack": 2}),
            ("/messages/ack", {"message_id": whatsapp_id, "ack": 3}),
        ]
        if self._rng.random() < 0.5:
            seen = {"backend_message_id": message_id, "whatsapp_id": whatsapp_id, "delay_ms": 5}
            calls[2] = ("/webhooks/whatsapp/seen", seen)
        if self._rng.random() < LIE:
            calls.insert(0, ("/messages/failed", {"backend_id": message_id, "code": "lie"}))
        return shuffled(self._rng, calls)

    def _tell(self, client: httpx.Client, path: str, body: dict[str, Any]) -> None:
        while True:
            try:
                if client.post(path, json=body).is_success:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(self._rng.uniform(0.2, 1.0))
