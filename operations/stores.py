"""The two databases as an operator sees them: where they are, what is in them, who uses them."""

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy import Engine, MetaData, create_engine, inspect, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

import crm.models  # noqa: F401  (the tables)
from config.settings import PROJECT_ROOT, Settings
from crm.extensions import Base
from gateway.store.tables import metadata as gateway_metadata

VERSION_TABLE = "alembic_version"
BORN_FULL = frozenset({VERSION_TABLE, "counters", "gateway_link", "worker_heartbeats", "facts"}) | {
    "setup_links",  # the owner's, made at the first start in production
}
"""Tables that have rows before anybody has written anything."""


LOOKS, PAUSE = 4, 0.5
OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


class OperationError(SystemExit):
    """It cannot be done. Leaving it uncaught ends the command with its sentence."""


@dataclass(frozen=True)
class Store:
    """One database. `variable` is the setting that names it."""

    name: str
    variable: str
    url: str
    metadata: MetaData

    @property
    def parsed(self) -> URL:
        return make_url(self.url)

    @property
    def kind(self) -> str:
        return self.parsed.get_backend_name()

    @property
    def file(self) -> Path:
        """Of an SQLite database."""
        if not self.parsed.database:
            raise OperationError(f"{self.variable} names a database in memory; there is no file.")
        return Path(self.parsed.database)

    @cached_property
    def engine(self) -> Engine:
        return create_engine(self.url, hide_parameters=True, poolclass=NullPool)

    def exists(self) -> bool:
        """Whether there is any table; an SQLite file is not made by asking."""
        if self.kind == "sqlite" and not self.file.exists():
            return False
        return bool(inspect(self.engine).get_table_names())

    def columns(self) -> dict[str, list[str]]:
        """The columns of every table that is there."""
        inspector = inspect(self.engine)
        return {
            table: sorted(column["name"] for column in inspector.get_columns(table))
            for table in sorted(inspector.get_table_names())
            if not table.startswith("sqlite_")
        }

    def revision(self) -> str | None:
        """The newest migration that ran; None where there are none to run."""
        if not inspect(self.engine).has_table(VERSION_TABLE):
            return None
        with self.engine.connect() as connection:
            found: str | None = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))
        return found

    def first_full_table(self) -> str | None:
        """A table with rows that somebody has written, or None."""
        tables = set(self.columns()) - BORN_FULL
        with self.engine.connect() as connection:
            for table in sorted(tables):
                if connection.execute(text(f'SELECT 1 FROM "{table}" LIMIT 1')).first():
                    return table
        return None

    def is_used(self) -> bool:
        """Whether another process has it open."""
        look = self._is_file_used if self.kind == "sqlite" else self._is_server_used
        for _ in range(LOOKS):
            if not look():
                return False
            time.sleep(PAUSE)  # what ended a moment ago may still be closing
        return True

    def _is_server_used(self) -> bool:
        with self.engine.connect() as connection:
            return bool(connection.scalar(text(OTHERS)))

    def _is_file_used(self) -> bool:
        if not self.file.exists():
            return False
        self.engine.dispose()
        with closing(sqlite3.connect(self.file, timeout=0.5)) as connection:
            # Leaving WAL needs to be alone; idle connections of others count, too.
            try:
                return bool(connection.execute("PRAGMA journal_mode=DELETE").fetchone()[0] == "wal")
            except sqlite3.OperationalError:
                return True


def backend_store(settings: Settings) -> Store:
    """The database that web and workers share."""
    return Store("database", "DATABASE_URL", settings.database_url, Base.metadata)


def gateway_store(settings: Settings) -> Store:
    """What the gateway must not forget."""
    return Store("gateway", "GATEWAY_DATABASE_URL", settings.gateway_database_url, gateway_metadata)


def known_revisions() -> set[str]:
    """Every migration that this code has."""
    scripts = ScriptDirectory(str(PROJECT_ROOT / "crm" / "migrations"))
    return {script.revision for script in scripts.walk_revisions()}
