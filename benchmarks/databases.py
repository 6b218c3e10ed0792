"""Databases that are measured: built once, and copied for each turn so that all begin alike."""

import os
import shutil
import sys
from pathlib import Path

import psycopg

from benchmarks.cores import ANSWERING, pinned
from benchmarks.dataset import Dataset
from config.settings import PROJECT_ROOT
from tests.kit.postgres import DURABLE, PostgresServer
from tests.kit.programs import Program


class Databases:
    """SQLite files in a folder, or databases of a PostgreSQL of its own with default settings."""

    def __init__(self, room: Path, *, postgres: bool) -> None:
        self._room = room
        self._templates: dict[Dataset, str] = {}
        self._made = 0
        self._server: PostgresServer | None = None
        if postgres:
            with pinned(ANSWERING):
                self._server = PostgresServer(DURABLE)
                self._server.start()

    @property
    def kind(self) -> str:
        return "PostgreSQL" if self._server else "SQLite"

    def copy(self, dataset: Dataset) -> str:
        """The URL of a database of this size that nobody used yet."""
        if dataset not in self._templates:
            self._templates[dataset] = self._build(dataset)
        self._made += 1
        template = self._templates[dataset]
        if self._server is None:
            file = self._room / f"measured-{self._made}.sqlite3"
            shutil.copyfile(template.removeprefix("sqlite:///"), file)
            return f"sqlite:///{file}"
        return self._server.create_database(template=template.rpartition("/")[2])

    def forget(self, url: str) -> None:
        """Give the room of a copy back."""
        if self._server is not None:
            self._server.drop_database(url.rpartition("/")[2])
            return
        file = Path(url.removeprefix("sqlite:///"))
        for each in self._room.glob(f"{file.name}*"):
            each.unlink()

    def end(self) -> None:
        if self._server is not None:
            self._server.end()

    def _build(self, dataset: Dataset) -> str:
        if self._server:
            url = self._server.create_database()
        else:
            url = f"sqlite:///{self._room / f'template-{len(self._templates)}.sqlite3'}"
        migrate(url, self._room)
        dataset.build(url)
        if self._server is None:
            return url
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("VACUUM (FREEZE, ANALYZE)")
        return url


def migrate(database_url: str, room: Path) -> None:
    """Bring an empty database up to date."""
    program = Program(
        [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"],
        environment={
            "PATH": os.defpath,
            "VAR_DIR": str(room / "var"),
            "DATABASE_URL": database_url,
            "REDIS_URL": "redis://127.0.0.1:1/0",
        },
        log=room / "migrations.log",
        directory=PROJECT_ROOT,
    )
    program.start()
    if program.wait(300):
        raise SystemExit(f"The migrations failed: {program.output()[-1000:]}")
