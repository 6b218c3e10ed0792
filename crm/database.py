"""How this product talks to SQLite and to PostgreSQL, connection by connection."""

import random
import select
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import Connection, Dialect, Engine, ExceptionContext, event
from sqlalchemy.exc import DisconnectionError, IntegrityError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import ConnectionPoolEntry

from crm.database_errors import OUTDATED

LONG_IDLE = 30.0
"""Seconds after which something between us and PostgreSQL may have forgotten a connection."""
BUSY_TIMEOUT = 6.0
"""Seconds that a write waits for a lock before the caller is told to try again."""
ASK_EVERY = (0.0005, 0.0015)

SQLITE_PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT * 1000:.0f}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",
)
POSTGRESQL_OPTIONS = (
    "-c timezone=UTC -c statement_timeout=15s -c lock_timeout=6s"
    " -c idle_in_transaction_session_timeout=30s"
)


def engine_options(url: str) -> dict[str, Any]:
    """Arguments of `create_engine` for this URL. Parameters are texts and phones: never logged."""
    if url.startswith("sqlite"):
        return {
            "hide_parameters": True,
            "pool_size": 8,
            "max_overflow": 24,
            "pool_timeout": BUSY_TIMEOUT,
        }
    return {
        "hide_parameters": True,
        "pool_size": 10,
        "max_overflow": 2,
        "pool_timeout": BUSY_TIMEOUT,
        # Reads are no transactions: to begin and end one takes two round trips, and with each
        # ROLLBACK psycopg forgets what the server has prepared.
        "isolation_level": "AUTOCOMMIT",
        "connect_args": {
            "options": POSTGRESQL_OPTIONS,
            "connect_timeout": 5,
            # Milliseconds until what nobody acknowledges is given up.
            "tcp_user_timeout": 15_000,
        },
    }


def prepare_engine(engine: Engine) -> None:
    """Make SQLite durable and concurrent; have PostgreSQL's connections looked at when lent.

    On SQLite writers begin IMMEDIATE: a deferred transaction that reads and then writes fails at
    once when another wrote in between, whatever the busy timeout.
    """
    if engine.dialect.name == "postgresql":
        event.listen(engine, "checkin", _note_use)
        event.listen(engine, "checkout", partial(_look_at, engine.dialect))
        event.listen(engine, "handle_error", _note_whether_over)
        return

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # pysqlite must not begin transactions by itself
        for pragma in SQLITE_PRAGMAS:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get("begin") == "IMMEDIATE":
            _wait_for_write_lock(connection, options["until"])
        else:
            connection.exec_driver_sql("BEGIN")


def _note_use(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info["used_at"] = time.monotonic()


def _look_at(dialect: Dialect, connection: Any, record: ConnectionPoolEntry, _lent: object) -> None:
    """Have the pool replace a connection that has ended.

    To ask the server each time were another round trip. Where it has ended one, there is something
    to read; only of one that was long idle nothing may have been heard. A new one is not looked at.
    """
    used_at = record.info.get("used_at")
    if used_at is None:
        return
    poller = select.poll()
    try:
        poller.register(connection.fileno(), select.POLLIN)
        if poller.poll(0) or time.monotonic() - used_at > LONG_IDLE:
            dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        raise DisconnectionError from error


def _note_whether_over(context: ExceptionContext) -> None:
    """Tell SQLAlchemy what it does not know to be the end of a connection."""
    if OUTDATED in str(context.original_exception):
        context.is_disconnect = True


def begin_writing(engine: Engine, *, until: float) -> Connection:
    """A connection with a transaction that may write; SQLite's lock is waited for until then."""
    connection = engine.connect().execution_options(begin="IMMEDIATE", until=until)
    try:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="READ COMMITTED")
        connection.begin()
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def begin_snapshot(engine: Engine) -> Iterator[Connection]:
    """A transaction whose statements all read the same state of the database."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":  # on SQLite every transaction is one
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        # Committed, though it only read: at a ROLLBACK psycopg forgets what is prepared.
        with connection.begin():
            yield connection


def _wait_for_write_lock(connection: Connection, until: float) -> None:
    """BEGIN IMMEDIATE, asking every millisecond until then while another process writes.

    SQLite's own waiting asks ever more seldom, down to ten times a second: a process that is
    unlucky twice then starves behind those that write all the time (seen: 503 after 6 s).
    """
    raw: Any = connection.connection.dbapi_connection
    raw.execute("PRAGMA busy_timeout = 0")
    try:
        while _is_locked(raw) and time.monotonic() < until:
            time.sleep(random.uniform(*ASK_EVERY))
        if not raw.in_transaction:
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # raises what SQLAlchemy makes of it
    finally:
        raw.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT * 1000:.0f}")


def _is_locked(raw: Any) -> bool:
    """Whether another process writes; where it does not, and nothing else is wrong, we do."""
    try:
        raw.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
    return False


def add_unless_taken(session: Session, row: DeclarativeBase) -> bool:
    """Insert a row that we looked for in vain; False where another transaction stored its like.

    On SQLite a writer is alone, so the look was enough. On PostgreSQL the unique index decides,
    behind a savepoint, and the other's row is visible afterwards.
    """
    if session.get_bind().dialect.name == "sqlite":
        session.add(row)
        session.flush()
        return True
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return False
    return True
