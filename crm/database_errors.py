"""What a database says went wrong, in the words of the product's own error family."""

from typing import Any

from sqlalchemy import Connection, Dialect, Engine, PoolProxiedConnection
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, TimeoutError

from crm.errors import DatabaseBusyError, DatabaseUnavailableError

NOT_MIGRATED = ("no such table", "no such column")
OUTDATED = "cached plan must not change result type"
LOCKED = ("database is locked", "lock timeout", "deadlock detected", "statement timeout")


def translate(error: Exception) -> Exception:
    """A database's own error as the family's: busy, unusable, or the error itself (a fault)."""
    if isinstance(error, TimeoutError):
        return DatabaseBusyError()
    if isinstance(error, IntegrityError) and "unique" in str(error.orig).casefold():
        # Rules are checked before rows are written: a unique index only stops a race's loser.
        return DatabaseBusyError()
    if isinstance(error, OperationalError) or getattr(error, "connection_invalidated", False):
        reason = str(getattr(error, "orig", error)).casefold()
        if any(phrase in reason for phrase in NOT_MIGRATED):
            return error
        busy = any(phrase in reason for phrase in LOCKED)
        return DatabaseBusyError() if busy else DatabaseUnavailableError()
    return error


def from_driver(
    error: Any, statement: str, engine: Engine, lent: Connection | PoolProxiedConnection | None
) -> DBAPIError:
    """What SQLAlchemy makes of an error that it did not meet itself.

    Where the connection lent (None: it could not even be made) is of no use any more, those that
    idle in the pool most likely are of none, too, and all are replaced.
    """
    fairy = lent.connection if isinstance(lent, Connection) else lent
    is_over = bool(fairy and _is_of_no_use(fairy.dbapi_connection, engine.dialect, error))
    if lent and is_over:
        lent.invalidate(error)
        engine.dispose()
    told = DBAPIError.instance(
        statement,
        None,
        error,
        engine.dialect.loaded_dbapi.Error,
        dialect=engine.dialect,
        connection_invalidated=is_over,
    )
    assert isinstance(told, DBAPIError)
    return told


def _is_of_no_use(connection: Any, dialect: Dialect, error: Any) -> bool:
    """It broke, or a migration changed the type of a column that something prepared on it reads."""
    return OUTDATED in str(error) or dialect.is_disconnect(error, connection, None)
