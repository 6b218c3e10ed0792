"""How this product talks to SQLite and to PostgreSQL, connection by connection."""

from typing import Any

from sqlalchemy import Connection, Engine, event

BUSY_TIMEOUT = 6.0
"""Seconds that a write waits for a lock before the caller is told to try again."""

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
        "pool_pre_ping": True,
        "connect_args": {"options": POSTGRESQL_OPTIONS, "connect_timeout": 5},
    }


def prepare_engine(engine: Engine) -> None:
    """Make each SQLite connection durable and concurrent, and its BEGIN say what it is for.

    Writers begin IMMEDIATE (`transaction()` asks for it): a deferred transaction that reads and
    then writes fails at once when another wrote in between, whatever the busy timeout.
    """
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # pysqlite must not begin transactions by itself
        for pragma in SQLITE_PRAGMAS:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        mode = connection.get_execution_options().get("begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {mode}")
