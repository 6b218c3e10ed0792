"""What a database says went wrong, in the words of the product's own error family."""

from sqlalchemy.exc import IntegrityError, OperationalError, TimeoutError

from crm.errors import DatabaseBusyError, DatabaseUnavailableError

NOT_MIGRATED = ("no such table", "no such column")
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
