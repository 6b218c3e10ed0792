"""A stack for one fault, what a client and a far side see of it, and a lock on its database."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import NullPool, create_engine, text

from config.addresses import normalize_database_url
from tests.kit.foreign_gateway import ForeignGateway
from tests.kit.stack import Stack
from tests.kit.waiting import eventually


class Scene:
    """A stack and, where a test wants one, a gateway of its own in the real one's place."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.gateway = ForeignGateway(stack.ports["gateway"], backend=stack.url("web"))
        self.web = httpx.Client(base_url=stack.url("web"), timeout=60, trust_env=False)
        url = normalize_database_url(stack.database_url)
        self._engine = create_engine(url, poolclass=NullPool)

    def close(self) -> None:
        """End what is the scene's own; the stack is its maker's."""
        self.gateway.stop()
        self.web.close()

    def customer(self, number: int = 0) -> int:
        body = {"name": "MK Gan", "phone": f"6012{number:07}"}
        return int(self.web.post("/customers/", json=body).raise_for_status().json()["id"])

    def send(self, customer_id: int, text: str = "Hello") -> int:
        body = {"customer_id": customer_id, "content": text}
        answer = self.web.post("/messages/send", json=body)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    def send_many(self, count: int, *, customers: int) -> list[int]:
        ids = [self.customer(number) for number in range(customers)]
        return [self.send(ids[number % customers], f"text {number}") for number in range(count)]

    def message(self, message_id: int) -> dict[str, Any]:
        """The row, past every process."""
        return self.rows(f"SELECT * FROM messages WHERE id = {message_id}")[0]

    def rows(self, query: str) -> list[dict[str, Any]]:
        """What the database has, past every process."""
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(text(query)).mappings()]

    def wait_until_mapped(self, message_ids: list[int], *, timeout: float) -> float:
        """Returns the seconds that it took."""
        return self.wait_until("mapped", message_ids, timeout=timeout)

    def wait_until(self, state: str, message_ids: list[int], *, timeout: float) -> float:
        """Returns the seconds that it took."""
        started = time.monotonic()
        for message_id in message_ids:
            left = max(1.0, started + timeout - time.monotonic())
            eventually(lambda m=message_id: self.message(m)["dispatch"] == state, timeout=left)
        return time.monotonic() - started

    def journal(self) -> list[int]:
        """The messages that our own gateway's pretend WhatsApp received, in order."""
        file = self.stack.var_dir / "simulator.jsonl"
        lines = file.read_text().splitlines() if file.exists() else []
        return [json.loads(line)["backend_message_id"] for line in lines]

    def misbehave(self, **how: object) -> None:
        url = self.stack.url("gateway", "/simulator/misbehave")
        httpx.post(url, json=how, timeout=20, trust_env=False).raise_for_status()


@contextmanager
def locked(stack: Stack, seconds: float) -> Iterator[None]:
    """Somebody holds SQLite's write lock for so long, or a little longer than the block."""
    file = Path(stack.database_url.removeprefix("sqlite:///"))
    connection = sqlite3.connect(file, timeout=10, isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    with ThreadPoolExecutor(1) as holder:
        # Not in the test's own thread: what it calls may wait for the lock.
        released = holder.submit(_release, connection, began + seconds)
        try:
            yield
        finally:
            released.result()


def _release(connection: sqlite3.Connection, at: float) -> None:
    time.sleep(max(0.0, at - time.monotonic()))
    connection.execute("ROLLBACK")
    connection.close()


def times_of(call: Callable[[], httpx.Response], *, seconds: float) -> list[float]:
    """How long each call took, made one after the other for so long; each must be a 200."""
    times, until = [], time.monotonic() + seconds
    while time.monotonic() < until or not times:
        started = time.monotonic()
        assert call().status_code == 200
        times.append(time.monotonic() - started)
        time.sleep(0.02)
    return times
