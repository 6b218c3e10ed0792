"""Something that answers the product's API and can be measured: ours now, its peers later."""

import tempfile
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import httpx
import psutil
import redis

from benchmarks.dataset import Dataset
from tests.kit.redis_server import RedisServer
from tests.kit.stack import Stack
from tests.kit.waiting import eventually

ALL = ("web", "worker", "beat", "gateway", "flower")
DELIVERY = ("worker", "beat", "gateway")
PACKAGES = ("flask", "gunicorn", "sqlalchemy", "celery", "redis", "psycopg")
SETTLING = 8.0
"""Seconds after the start before idle memory is read."""


class Target(Protocol):
    """A context manager: inside, `base_url` answers from a filled database."""

    name: str
    base_url: str

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None: ...

    def facts(self) -> Mapping[str, str]:
        """What a reader must know of it beside the figures."""

    def cpu_seconds(self) -> float:
        """Processor time that its web processes have used so far."""


class CrmTarget:
    """Our own `web` from the Procfile, with a Redis of its own."""

    name = "crm"

    def __init__(
        self, dataset: Dataset, *, database_url: str | None = None, with_delivery: bool = False
    ) -> None:
        self._dataset = dataset
        self._database_url = database_url
        self._names = ("web", *(DELIVERY if with_delivery else ()))
        self._facts: dict[str, str] = {}

    def __enter__(self) -> Self:
        self._room = tempfile.TemporaryDirectory(prefix="crm-benchmark-")
        room = Path(self._room.name)
        self._redis = RedisServer(room / "redis")
        self._stack = Stack(
            room,
            redis=self._redis,
            database_url=self._database_url,
            settings={"LOG_LEVEL": "WARNING"},
        )
        self.base_url = self._stack.url("web")
        try:
            self._redis.start()
            self._stack.var_dir.mkdir()
            self._stack.release()
            self._time("database filled in", lambda: self._dataset.build(self._stack.database_url))
            self._measure_idle_memory()
            self._time("web, start to first answer", lambda: self._start(self._names))
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._stack.end()
        self._redis.end()
        self._room.cleanup()

    def facts(self) -> Mapping[str, str]:
        dialect = "SQLite" if self._stack.database_url.startswith("sqlite") else "PostgreSQL"
        versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
        running = ", ".join((*self._names, "redis"))
        return {"database": dialect, "processes": running, "versions": versions} | self._facts

    def cpu_seconds(self) -> float:
        times = [one.cpu_times() for one in _tree(self._stack.program("web").pid)]
        return sum(spent.user + spent.system for spent in times)

    def _start(self, names: tuple[str, ...]) -> None:
        for name in names:
            self._stack.program(name).start()
        eventually(self._answers, timeout=60, interval=0.01)

    def _answers(self) -> bool:
        return httpx.get(f"{self.base_url}/customers/summary?limit=1").status_code == 200

    def _measure_idle_memory(self) -> None:
        """PSS, which counts shared pages once, of everything that `make run` starts."""
        self._time("everything, start to first answer", lambda: self._start(ALL))
        for name in ALL:
            self._stack.wait_until_up(name)
        time.sleep(SETTLING)
        sizes = {
            name: sum(_pss(one.pid) for one in _tree(self._stack.program(name).pid)) for name in ALL
        }
        with self._redis.client() as client:
            sizes["redis"] = _pss(_server_pid(client))
        shown = ", ".join(f"{name} {size:.0f}" for name, size in sizes.items())
        self._facts["idle memory"] = f"{sum(sizes.values()):.0f} MB ({shown})"
        self._stack.end()
        self._stack.programs.clear()

    def _time(self, fact: str, step: "Step") -> None:
        started = time.perf_counter()
        step()
        self._facts[fact] = f"{time.perf_counter() - started:.1f} s"


class Step(Protocol):
    def __call__(self) -> None: ...


def _server_pid(client: "redis.Redis[str]") -> int:
    return int(client.info("server")["process_id"])


def _tree(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def _pss(pid: int) -> float:
    """Megabytes (MiB)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines[1:])
    return int(fields["Pss"].split()[0]) / 1024
