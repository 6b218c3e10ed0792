"""What a soak runs on: a database, a Redis and the Procfile's processes, all of its own."""

import sys
import threading
from pathlib import Path

import httpx

from config.settings import PROJECT_ROOT
from tests.kit.graph_server import GraphServer
from tests.kit.postgres import PostgresServer
from tests.kit.programs import Program
from tests.kit.redis_server import RedisServer
from tests.kit.stack import PATH, Stack

RETRY_BASE = 0.5
"""Seconds before the first retry of a send, so that a short soak sees many of them."""
CUSTOMERS = 40


class Stage:
    """Use it as a context manager: everything it starts is gone at the end."""

    def __init__(
        self, directory: Path, *, database: str, gateway: str, seed: int, sets: int = 1
    ) -> None:
        self.directory = directory
        self.sets = sets
        """Web, worker and beat, so many times each, on one database and one Redis."""
        self.database, self.gateway = database, gateway
        self.redis = RedisServer(directory / "redis")
        self.postgres = PostgresServer() if database == "postgresql" else None
        self.graph = GraphServer(directory / "graph.jsonl") if gateway == "cloud" else None
        """The WhatsApp behind the driver `cloud`; it is never killed, as Meta's is not ours to."""
        self.connected = threading.Lock()
        """Held while the pretend WhatsApp is disconnected: it keeps inbound in memory only."""
        self.slow_ends: list[str] = []
        """Processes that outlived their SIGTERM."""
        self._seed = seed

    def __enter__(self) -> "Stage":
        try:
            self._start()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def _start(self) -> None:
        self.redis.start()
        url = None
        if self.postgres:
            self.postgres.start()
            url = self.postgres.create_database()
        settings = {"APP_ENV": "testing", "SEND_RETRY_BASE": str(RETRY_BASE)}
        if self.graph:
            settings |= self.graph.environment
        self.stack = Stack(
            self.directory / "stack", redis=self.redis, database_url=url, settings=settings
        )
        if self.gateway == "foreign":
            self.stack.programs["gateway"] = self._foreign_gateway()
        if self.graph:
            self.graph.courier.webhook = self.stack.url("gateway", "/webhook")
            self.graph.start()
        self.stack.start(*self.names("web", "worker", "beat"), "gateway", timeout=120)

    def _foreign_gateway(self) -> Program:
        """In the Procfile's gateway's place: a server that knows nothing but the contract."""
        (self.directory / "stack").mkdir(parents=True, exist_ok=True)
        environment = {
            "PATH": PATH,
            "PORT": str(self.stack.ports["gateway"]),
            "BACKEND_URL": self.stack.url("web"),
            "FOREIGN_LOG": str(self.whatsapp_log),
            "FOREIGN_SEED": str(self._seed),
            "PYTHONUNBUFFERED": "1",
        }
        return Program(
            [sys.executable, "-m", "tests.soak.foreign_gateway"],
            environment=environment,
            log=self.directory / "stack" / "gateway.log",
            directory=PROJECT_ROOT,
        )

    def names(self, *lines: str) -> list[str]:
        """The processes of these lines of the Procfile, of every set: `web`, `web2`."""
        suffixes = ["", *map(str, range(2, self.sets + 1))]
        return [f"{line}{suffix}" for suffix in suffixes for line in lines]

    @property
    def whatsapp_log(self) -> Path:
        """What the far side received, one JSON object a line, fsynced."""
        name = "foreign.jsonl" if self.gateway == "foreign" else "simulator.jsonl"
        return self.stack.var_dir / name

    @property
    def sqlite_file(self) -> Path:
        return Path(self.stack.database_url.removeprefix("sqlite:///"))

    def make_customers(self) -> list[int]:
        """The customers that agents will write to; returns their ids."""
        with httpx.Client(base_url=self.stack.url("web"), timeout=30) as web:
            answers = [
                web.post("/customers/", json={"name": f"Customer {n}", "phone": phone_of(n)})
                for n in range(CUSTOMERS)
            ]
        return [answer.raise_for_status().json()["id"] for answer in answers]

    def misbehave(self, **changes: object) -> None:
        """Tell the gateway how to misbehave. Raises `httpx.HTTPError` where it cannot hear."""
        if self.graph:
            return self.graph.misbehave(**changes)
        path = "/foreign/misbehave" if self.gateway == "foreign" else "/simulator/misbehave"
        httpx.post(self.stack.url("gateway", path), json=changes, timeout=3).raise_for_status()

    def pids(self) -> dict[str, int]:
        return {
            name: program.pid
            for name, program in self.stack.programs.items()
            if program.is_running()
        }

    def end(self) -> None:
        if hasattr(self, "stack"):
            self.stack.end()
            if self.graph:
                self.graph.stop()
        self.redis.end()
        if self.postgres:
            self.postgres.end()


def phone_of(number: int) -> str:
    """The phone of the customer with this number: a Malaysian mobile."""
    return f"6012{3000000 + number}"
