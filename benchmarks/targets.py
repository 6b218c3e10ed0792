"""What is measured: our `web`, its peer, and the floor. Each is a server process on a database."""

import json
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from benchmarks import processes
from benchmarks.cores import ANSWERING, pinned
from config.settings import PROJECT_ROOT
from tests.kit.ports import free_port
from tests.kit.programs import Program
from tests.kit.redis_server import RedisServer
from tests.kit.stack import PATH, Stack
from tests.kit.waiting import eventually

WEB_PROCESSES = 2
DELIVERY = ("worker", "beat", "gateway")
Answers = dict[str, tuple[str, list[tuple[str, str]], str]]
"""By request: status line, headers, body."""


class Target(ABC):
    """A context manager: inside, `base_url` answers from the database."""

    packages: tuple[str, ...] = ()
    knows_one_request = False
    """Of each kind: the first."""

    def __init__(self, database_url: str) -> None:
        self.database_url = database_url
        self.port = free_port()
        self._leaving = ExitStack()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        with self._leaving:
            room = Path(self._leaving.enter_context(tempfile.TemporaryDirectory(prefix="crm-")))
            with pinned(ANSWERING):
                self._pid = self._start(room)
            eventually(self._answers, timeout=60, interval=0.02)
            self._leaving = self._leaving.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._leaving.close()

    @abstractmethod
    def _start(self, room: Path) -> int:
        """Start it on `port`, with everything to end in `_leaving`; returns the server's id."""

    def _run(self, room: Path, command: list[str], environment: Mapping[str, str]) -> int:
        program = Program(
            command,
            environment={"PATH": PATH, **environment},
            log=room / "output.log",
            directory=PROJECT_ROOT,
        )
        program.start()
        self._leaving.callback(program.end)
        return program.pid

    def _answers(self) -> bool:
        return httpx.get(f"{self.base_url}/customers/summary?limit=50").status_code == 200

    def facts(self) -> Mapping[str, str]:
        """What a reader must know of it beside the figures."""
        return {"versions": ", ".join(f"{name} {version(name)}" for name in self.packages)}

    def cpu_seconds(self) -> float:
        """Processor time that its web processes have used so far."""
        return processes.cpu_seconds(self._pid)

    def megabytes(self) -> float:
        """Memory of its web processes."""
        return processes.megabytes(self._pid)


class CrmTarget(Target):
    """Our own `web` from the Procfile, with a Redis of its own."""

    packages = ("flask", "gunicorn", "sqlalchemy", "celery", "redis", "orjson", "psycopg")

    def __init__(
        self,
        database_url: str,
        *,
        with_delivery: bool = False,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(database_url)
        self._names = ("web", *(DELIVERY if with_delivery else ()))
        self._settings = {"LOG_LEVEL": "WARNING", **(settings or {})}

    def _start(self, room: Path) -> int:
        redis = RedisServer(room / "redis")
        self._leaving.callback(redis.end)
        redis.start()
        self.redis_url = redis.url
        stack = Stack(room, redis=redis, database_url=self.database_url, settings=self._settings)
        self._leaving.callback(stack.end)
        stack.var_dir.mkdir()
        self.port = stack.ports["web"]
        for name in self._names:
            stack.program(name).start()
        return stack.program("web").pid

    def facts(self) -> Mapping[str, str]:
        return {"processes": ", ".join((*self._names, "redis"))} | super().facts()


class FastApiTarget(Target):
    """The same API in the architecture that the API document draws."""

    packages = (
        "fastapi", "starlette", "pydantic", "uvicorn", "uvloop", "httptools", "sqlalchemy",
        "aiosqlite", "asyncpg",
    )  # fmt: skip

    def _start(self, room: Path) -> int:
        command = [
            *(sys.executable, "-m", "uvicorn", "--workers", str(WEB_PROCESSES)),
            *("--port", str(self.port), "--no-access-log", "--log-level", "warning"),
            "benchmarks.peers.fastapi_app:app",
        ]
        return self._run(room, command, {"DATABASE_URL": self.database_url})


class FloorTarget(Target):
    """gunicorn, set up as ours, that answers our own bytes from memory."""

    packages = ("gunicorn",)
    knows_one_request = True

    def __init__(self, database_url: str, answers: Answers) -> None:
        super().__init__(database_url)
        self._recorded = answers

    def _start(self, room: Path) -> int:
        file = room / "answers.json"
        file.write_text(json.dumps(self._recorded))
        command = [
            *(sys.executable, "-m", "gunicorn", "--config", "benchmarks/peers/gunicorn_floor.py"),
            "benchmarks.peers.floor_app:app",
        ]
        environment = {
            "FLOOR_ANSWERS": str(file),
            "PORT": str(self.port),
            "VAR_DIR": str(room / "var"),
        }
        return self._run(room, command, environment)
