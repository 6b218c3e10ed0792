"""The product's real processes for one test, started from the Procfile on free ports."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx

from config.launch_process import read_procfiles
from config.launch_steps import HEALTH
from config.settings import PROJECT_ROOT
from tests.kit.ports import free_port
from tests.kit.programs import Program
from tests.kit.redis_server import RedisServer
from tests.kit.waiting import eventually

PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
PRODUCTION = {
    "APP_ENV": "production",
    "HOST": "127.0.0.1",
    "SECRET_KEY": "s" * 40,
    "INTERNAL_TOKEN": "t" * 40,
}
"""What the processes need before they start there."""
PROCFILES = (PROJECT_ROOT / "Procfile", PROJECT_ROOT / "Procfile.dev")


def procfile_program(
    name: str, *, environment: Mapping[str, str], log: Path, procfile: Path | None = None
) -> Program:
    """A line of the Procfiles with only this environment and a PATH, not started yet."""
    command = read_procfiles(*([procfile] if procfile else PROCFILES))[name]
    return Program(
        command, environment={"PATH": PATH, **environment}, log=log, directory=PROJECT_ROOT
    )


def line_of(name: str) -> str:
    """The Procfile's line of a process: `web` of `web2`."""
    return name.rstrip("0123456789")


class Stack:
    """Redis, a database and our processes, each of which a test may kill, freeze and restart.

    `programs["worker"]` and the rest are `tests.kit.programs.Program`; `worker2` is another process
    of the same line, `web2` on a port of its own. `redis` is a `RedisServer`. `settings` are
    environment variables on top of those named here.
    """

    def __init__(
        self,
        directory: Path,
        *,
        redis: RedisServer,
        database_url: str | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.directory = directory
        self.redis = redis
        self.ports = {name: free_port() for name in HEALTH}
        self.var_dir = directory / "var"
        self.database_url = database_url or f"sqlite:///{self.var_dir / 'crm.sqlite3'}"
        self.environment = {
            "VAR_DIR": str(self.var_dir),
            "DATABASE_URL": self.database_url,
            "REDIS_URL": redis.url,
            "GATEWAY_URL": self.url("gateway"),
            "BACKEND_URL": self.url("web"),
            "CORS_ORIGINS": self.url("frontend"),
            "PYTHONUNBUFFERED": "1",
            **(settings or {}),
        }
        self.programs: dict[str, Program] = {}

    def url(self, name: str, path: str = "") -> str:
        """The address of `frontend`, `web`, `gateway` or `flower`, with a path behind it."""
        return f"http://127.0.0.1:{self.ports[name]}{path}"

    def start(self, *names: str, timeout: float = 60.0) -> None:
        """Migrate, start these (without any named: what delivery needs), wait until they answer."""
        self.var_dir.mkdir(parents=True, exist_ok=True)
        self.release()
        for name in names or ("web", "worker", "beat", "gateway"):
            self.program(name).start()
        for name in self.programs:
            self.wait_until_up(name, timeout=timeout)

    def release(self) -> None:
        """Run the migrations, as a platform does before it starts a release."""
        program = self.program("release")
        program.start()
        assert program.wait(120) == 0, program.output()
        del self.programs["release"]

    def program(self, name: str) -> Program:
        """The process of this name, made when first asked for."""
        if name not in self.programs:
            line = line_of(name)
            if line in HEALTH and name not in self.ports:
                self.ports[name] = free_port()
            port = {"PORT": str(self.ports[name])} if name in self.ports else {}
            self.programs[name] = procfile_program(
                line,
                environment=self.environment | port,
                log=self.directory / f"{name}.log",
            )
        return self.programs[name]

    def command(self, *arguments: str) -> str:
        """What `flask …` prints, run as an operator does beside the processes."""
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", *arguments],
            env={"PATH": PATH, **self.environment},
            cwd=PROJECT_ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        return done.stdout

    def restart(self, name: str, *, timeout: float = 60.0) -> None:
        """kill -9 one of them if it runs, start it again, wait until it answers."""
        program = self.program(name)
        program.kill()
        program.start()
        self.wait_until_up(name, timeout=timeout)

    def wait_until_up(self, name: str, *, timeout: float = 60.0) -> None:
        """It runs and, where it speaks HTTP, it answers."""
        program = self.programs[name]

        def is_up() -> bool:
            if not program.is_running():
                raise RuntimeError(f"{name} ended: {program.output()[-2000:]}")
            path = HEALTH.get(line_of(name))
            return path is None or httpx.get(self.url(name, path), timeout=5).status_code == 200

        eventually(is_up, timeout=timeout)

    def end(self) -> None:
        """End whatever still runs, all asked at once; the Redis belongs to somebody else."""
        for program in self.programs.values():
            program.ask_to_end()
        for program in self.programs.values():
            program.end()
