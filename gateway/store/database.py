"""The gateway's database: SQLite or PostgreSQL, one process, one writer at a time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, InternalError, OperationalError, TimeoutError

from gateway.store.columns import add_missing_columns
from gateway.store.tables import metadata

BUSY_TIMEOUT = 5.0
"""Seconds a writer waits for the lock before the caller hears 503."""

POSTGRES_TIMEOUTS = (
    "-c statement_timeout=10s -c lock_timeout=5s -c idle_in_transaction_session_timeout=30s"
)


class StoreBusyError(Exception):
    """The write lock was held too long; nothing was written."""


class StoreLostError(Exception):
    """The connection to the store broke; what was being written may have to be written again."""


# No InterfaceError: SQLite's says that a value cannot be stored, which no new try mends.
STORE_AWAY = (StoreBusyError, StoreLostError, OperationalError, InternalError, TimeoutError)
"""What a transaction raises where the same may succeed in a moment."""


def is_store_away(error: Exception) -> bool:
    """The same within a transaction, where a lost connection still has the library's own name."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return isinstance(error, STORE_AWAY)


class Store:
    """Opens transactions. The only place in the gateway that commits."""

    def __init__(self, url: str) -> None:
        self._engine = _make_engine(url)
        self._writing = self._engine.execution_options(writing=True)
        # One process: waiting here is fair and free, and row ids follow the order of commits.
        self._writer = threading.Lock()

    def create_tables(self) -> None:
        with self.transaction() as connection:
            metadata.create_all(connection)
            # `create_all` leaves a table that exists as it is.
            for table in metadata.sorted_tables:
                for index in table.indexes:
                    index.create(connection, checkfirst=True)
            add_missing_columns(connection, metadata)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A write transaction: committed at the end, rolled back on any error."""
        if not self._writer.acquire(timeout=BUSY_TIMEOUT):
            raise StoreBusyError("another writer holds the gateway's store")
        try:
            with self._writing.begin() as connection:
                yield connection
        except DBAPIError as error:
            if error.connection_invalidated and not isinstance(error, STORE_AWAY):
                raise StoreLostError("the connection to the gateway's store broke") from error
            raise
        finally:
            self._writer.release()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A read transaction; it never waits for a writer."""
        with self._engine.connect() as connection:
            yield connection

    def close(self) -> None:
        self._engine.dispose()


def _make_engine(url: str) -> Engine:
    # Errors are logged, and texts and phones must not be.
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(
            parsed,
            pool_size=8,
            max_overflow=32,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={"connect_timeout": 5, "options": POSTGRES_TIMEOUTS},
        )
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, pool_size=8, max_overflow=32, hide_parameters=True)
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)
    return engine


def _set_pragmas(dbapi_connection: Any, _record: Any) -> None:
    # None: sqlite3 itself begins nothing, `_begin` does.
    dbapi_connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        f"busy_timeout={BUSY_TIMEOUT * 1000:.0f}",
    ):
        dbapi_connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    # A reader that turns writer half-way would fail with SQLITE_BUSY, however long it may wait.
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
