"""A burst of sends through the real processes, watched until the last has arrived."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from benchmarks import processes
from benchmarks.load import Loader, Plan
from benchmarks.operations import post
from config.addresses import normalize_database_url
from config.settings import PROJECT_ROOT
from tests.kit.programs import Program
from tests.kit.redis_server import RedisServer
from tests.kit.stack import PATH, Stack
from tests.kit.waiting import eventually

PATIENCE = 1800.0
LOOK_EVERY = 0.25
CONNECTIONS = 8


@dataclass(slots=True)
class Passage:
    """How a burst went: seconds since it began, and what was found at the end."""

    sends: int
    answered_in: float = 0.0
    """Until every POST had its 201."""
    drained_in: float = 0.0
    """Until every message was where it should get to."""
    lost: int = 0
    repeated: int = 0
    out_of_order: int = 0
    memory_before: dict[str, float] = field(default_factory=dict)
    memory_after: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)
    """Milliseconds of processor time for each message."""


class Pipeline:
    """The Procfile's processes on a database of a burst's own."""

    def __init__(self, room: Path, database_url: str, *, quick_gateway: bool) -> None:
        self._room = room
        self._redis = RedisServer(room / "redis")
        self.stack = Stack(
            room,
            redis=self._redis,
            database_url=database_url,
            settings={"LOG_LEVEL": "WARNING", "SIMULATOR_PEOPLE": "false"},
        )
        self._engine = create_engine(normalize_database_url(database_url))
        self.log = self.stack.var_dir / "simulator.jsonl"
        if quick_gateway:
            self.log = room / "sends.jsonl"
            self.stack.programs["gateway"] = self._quick_gateway()

    @contextmanager
    def running(self, *names: str) -> Iterator["Pipeline"]:
        """Redis and these processes, up and idle."""
        self.stack.var_dir.mkdir(parents=True, exist_ok=True)
        self._redis.start()
        try:
            for name in names:
                self.stack.program(name).start()
                if not (name == "gateway" and self.log.parent == self._room):
                    self.stack.wait_until_up(name)
            yield self
        finally:
            self.stack.end()
            self._redis.end()
            self._engine.dispose()

    def send(self, loader: Loader, *, sends: int, customers: int) -> float:
        """POST them all, round and round the customers; returns the seconds it took."""
        requests = [
            post(
                "/messages/send",
                {"customer_id": 1 + number % customers, "content": f"Message {number}"},
            )
            for number in range(sends)
        ]
        plan = Plan(
            port=self.stack.ports["web"],
            requests=requests,
            connections=CONNECTIONS,
            seconds=PATIENCE,
            count=sends,
        )
        outcome = loader.run(plan)
        if outcome.refused:
            raise SystemExit(f"Sends were refused: {outcome.refused}")
        return outcome.elapsed

    def wait_for_the_worker(self) -> None:
        """Wait until it has done beat's first job."""
        eventually(lambda: self._number("SELECT count(*) FROM worker_heartbeats"), timeout=60)

    def wait_until(self, dispatch: str, count: int) -> None:
        """Wait until so many messages got there."""
        eventually(lambda: self.count(dispatch) >= count, timeout=PATIENCE, interval=LOOK_EVERY)

    def count(self, dispatch: str) -> int:
        """Messages of ours in this state."""
        return self._number(
            "SELECT count(*) FROM messages WHERE dispatch = :state AND queued_at IS NOT NULL",
            state=dispatch,
        )

    def compare(self, passage: Passage) -> None:
        """Hold what the far side received against what was stored."""
        with self._engine.connect() as connection:
            stored = connection.scalars(
                text("SELECT id FROM messages WHERE queued_at IS NOT NULL ORDER BY id")
            ).all()
        arrived: dict[str, list[int]] = {}
        for entry in self._arrivals():
            arrived.setdefault(entry["to"], []).append(entry["backend_message_id"])
        ids = [one for chat in arrived.values() for one in chat]
        passage.lost = len(set(stored) - set(ids)) + max(0, passage.sends - len(stored))
        passage.repeated = len(ids) - len(set(ids))
        passage.out_of_order = sum(chat != sorted(chat) for chat in arrived.values())

    def memory(self) -> dict[str, float]:
        """MiB (PSS) of each process that runs."""
        return {name: processes.megabytes(one.pid) for name, one in self._running()}

    def cpu(self) -> dict[str, float]:
        """Seconds of processor time of each process that runs."""
        return {name: processes.cpu_seconds(one.pid) for name, one in self._running()}

    def _number(self, statement: str, **values: str) -> int:
        with self._engine.connect() as connection:
            return int(connection.scalar(text(statement), values) or 0)

    def _running(self) -> list[tuple[str, Program]]:
        return [(name, one) for name, one in self.stack.programs.items() if one.is_running()]

    def _arrivals(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def _quick_gateway(self) -> Program:
        environment = {
            "PATH": PATH,
            "PORT": str(self.stack.ports["gateway"]),
            "SENDS_LOG": str(self.log),
        }
        return Program(
            [sys.executable, "-m", "benchmarks.peers.quick_gateway"],
            environment=environment,
            log=self._room / "quick_gateway.log",
            directory=PROJECT_ROOT,
        )


def burst(pipeline: Pipeline, loader: Loader, *, sends: int, customers: int) -> Passage:
    """Everything runs; all is sent at once, and watched until WhatsApp has it."""
    passage = Passage(sends, memory_before=pipeline.memory())
    spent, started = pipeline.cpu(), time.monotonic()
    passage.answered_in = pipeline.send(loader, sends=sends, customers=customers)
    pipeline.wait_until("mapped", sends)
    passage.drained_in = time.monotonic() - started
    passage.cpu = {
        name: 1000 * (seconds - spent[name]) / sends for name, seconds in pipeline.cpu().items()
    }
    passage.memory_after = pipeline.memory()
    pipeline.compare(passage)
    return passage


def deliver(pipeline: Pipeline, loader: Loader, *, sends: int, customers: int) -> Passage:
    """All is stored first; then one worker starts and hands it to a gateway that takes no time."""
    passage = Passage(sends)
    passage.answered_in = pipeline.send(loader, sends=sends, customers=customers)
    pipeline.stack.program("worker").start()
    pipeline.wait_until("accepted", 1)
    before, spent, started = pipeline.count("accepted"), pipeline.cpu(), time.monotonic()
    pipeline.wait_until("accepted", sends)
    elapsed = time.monotonic() - started
    passage.drained_in = elapsed * sends / max(1, sends - before)
    passage.cpu = {
        name: 1000 * (seconds - spent[name]) / (sends - before)
        for name, seconds in pipeline.cpu().items()
    }
    pipeline.compare(passage)
    return passage
