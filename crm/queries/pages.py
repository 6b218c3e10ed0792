"""What a list's answer is made of: its version, its pages, and opaque cursors."""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import orjson
from sqlalchemy import BigInteger, Connection, Engine, PoolProxiedConnection, text

from crm.database_errors import from_driver
from crm.errors import InvalidInputError
from crm.models import CounterName
from crm.prepared import Prepared

MAX_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Version:
    """The state of the database that a list shows: the newest event, in this very database."""

    database_id: int
    event_id: int


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list as JSON, and the cursor of the rows after them."""

    body: bytes
    next_cursor: str | None

    @classmethod
    def of(cls, documents: bytes, last_key: list[Any] | None) -> "Page":
        """A page of these JSON objects; the key is that of the last, where others are behind it."""
        return cls(b"[%b]" % documents, encode_cursor(last_key) if last_key else None)


_VERSION = (
    f"SELECT (SELECT value FROM counters WHERE name = '{CounterName.DATABASE_ID}'),"
    " (SELECT max(id) FROM events)"
)
_READ_VERSION = Prepared(text(_VERSION).columns(database_id=BigInteger, event_id=BigInteger))


def read_version(engine: Engine) -> Version:
    """To be read before the rows: these may be newer than it says, never older.

    The one question of nearly every request: a tenth as costly without SQLAlchemy's connection.
    """
    connection: PoolProxiedConnection | None = None
    try:
        connection = engine.raw_connection()
        cursor = connection.cursor()
        cursor.execute(_VERSION)
        row: Any = cursor.fetchone()
    except engine.dialect.loaded_dbapi.Error as error:
        raise from_driver(error, _VERSION, engine, connection) from error
    finally:
        if connection is not None:
            connection.close()
    database_id, event_id = row
    return Version(database_id=database_id or 0, event_id=event_id or 0)


def version_seen_by(connection: Connection) -> Version:
    """That of the snapshot which this connection reads: its rows are neither older nor newer."""
    database_id, event_id = _READ_VERSION.first(connection, {})
    return Version(database_id=database_id or 0, event_id=event_id or 0)


def chunks(file: IO[bytes], size: int = 64 * 1024) -> Iterator[bytes]:
    """A file's bytes piece by piece; the file is closed at the end, or when reading stops."""
    with file:
        while piece := file.read(size):
            yield piece


def encode_cursor(key: list[Any]) -> str:
    """A cursor for the `Link` header; clients give it back as it is."""
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")


def decode_cursor(cursor: str, *types: type) -> list[Any]:
    """The key in a cursor, checked against the types expected. Raises `InvalidInputError`."""
    try:
        padded = cursor.encode() + b"=" * (-len(cursor) % 4)
        key = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as error:
        raise bad_cursor() from error
    if not isinstance(key, list) or [type(part) for part in key] != list(types):
        raise bad_cursor()
    if any(isinstance(part, int) and part > MAX_ID for part in key):
        raise bad_cursor()
    return key


def bad_cursor() -> InvalidInputError:
    """What answers a cursor that was tampered with."""
    return InvalidInputError("The cursor is not one that this list gave out.", field="cursor")
