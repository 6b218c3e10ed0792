"""Lists as JSON bytes: whole ones from one snapshot, or pages with an opaque keyset cursor."""

import base64
import binascii
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO, Any

import orjson
from sqlalchemy import Engine, Integer, Row, Select, bindparam
from sqlalchemy.exc import DBAPIError

from crm.errors import InvalidInputError
from crm.extensions import db
from crm.models import CounterName

FETCH = 1000
MAX_ID = 2**63 - 1
IN_MEMORY = 4 * 1024 * 1024
"""Bytes of a whole list that are held in memory; a longer one goes through a temporary file."""

Rows = Select[*tuple[Any, ...]]
"""A SELECT of any columns."""
LIMIT = bindparam("limit", type_=Integer)
"""How many rows a page's statement gives; bound when it runs, so that it is built only once."""


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


_VERSION = (
    f"SELECT (SELECT value FROM counters WHERE name = '{CounterName.DATABASE_ID}'),"
    " (SELECT max(id) FROM events)"
)


def read_version() -> Version:
    """To be read before the rows: these may be newer than it says, never older."""
    engine = db.engine
    errors = engine.dialect.loaded_dbapi.Error
    try:
        database_id, event_id = _ask_driver(engine)
    except errors as error:
        raise DBAPIError.instance(_VERSION, None, error, errors, dialect=engine.dialect) from error
    return Version(database_id=database_id or 0, event_id=event_id or 0)


def _ask_driver(engine: Engine) -> tuple[int | None, int | None]:
    """The one question of nearly every request, a tenth as costly without session and events."""
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute(_VERSION)
        row: Any = cursor.fetchone()
        return row[0], row[1]
    finally:
        connection.close()


def read_all(statement: Rows, **values: Any) -> IO[bytes]:
    """The whole list, rewound; the statement's first column is each row's JSON.

    No transaction is left open for a slow reader.
    """
    spool = SpooledTemporaryFile(max_size=IN_MEMORY)
    spool.write(b"[")
    separator = ""
    only_json = statement.with_only_columns(statement.selected_columns[0])
    with db.engine.connect() as connection:
        result = connection.execution_options(yield_per=FETCH).execute(only_json, values)
        for partition in result.scalars().partitions():
            spool.write((separator + ",".join(partition)).encode())
            separator = ","
    spool.write(b"]")
    spool.seek(0)
    return spool


def read_page(statement: Rows, *, limit: int, newest_last: bool = False, **values: Any) -> Page:
    """One page of a statement that begins after the cursor and ends at `LIMIT`.

    Its columns are each row's JSON, then the key that it is ordered by.
    """
    rows = read_rows(statement, limit=limit + 1, **values)
    shown = rows[:limit]
    next_cursor = encode_cursor(list(shown[-1][1:])) if len(rows) > limit else None
    return to_page(reversed(shown) if newest_last else shown, next_cursor)


def read_rows(statement: Rows, **values: Any) -> Sequence[Row[Any]]:
    """A statement's rows, with the values that it was built without.

    They never become objects, so a session would only cost more than they do.
    """
    with db.engine.connect() as connection:
        return connection.execute(statement, values).all()


def to_page(rows: Iterable[Row[Any]], next_cursor: str | None) -> Page:
    """A page of these rows, each of which begins with its JSON."""
    body = "[" + ",".join([row[0] for row in rows]) + "]"
    return Page(body.encode(), next_cursor)


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
