"""Lists as JSON bytes: whole ones from one snapshot, or pages with an opaque keyset cursor.

The database puts the rows of a page into one row. SQLite lets other threads have the interpreter at
each row that it hands over, and to get it back costs more than to make the row.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cached_property
from tempfile import SpooledTemporaryFile
from typing import IO, Any

import orjson
from sqlalchemy import (
    ColumnElement,
    Connection,
    DateTime,
    Integer,
    bindparam,
    select,
    tuple_,
)
from sqlalchemy.orm import InstrumentedAttribute

from crm.database import begin_snapshot
from crm.extensions import db
from crm.json_sql import SEPARATOR, joined, json_array
from crm.prepared import Prepared
from crm.queries.pages import Page, bad_cursor, decode_cursor, encode_cursor

FETCH = 1000
"""Rows of a whole list that are read at once."""
IN_MEMORY = 4 * 1024 * 1024
"""Bytes of a whole list that are held in memory; a longer one goes through a temporary file."""

Key = Sequence[Any]
"""What tells a row's place in its list."""
Rows = tuple[list[str], list[str]]
"""Of each row its JSON, and its key as JSON."""


class Listing:
    """Rows as JSON, ordered by columns that are unique together and never NULL.

    What does not depend on a request is built once, since that costs more than to run it.
    """

    def __init__(
        self,
        document: ColumnElement[str],
        *key: InstrumentedAttribute[Any],
        newest_first: bool = False,
        conditions: tuple[ColumnElement[bool], ...] = (),
    ) -> None:
        self._document, self._key = document, key
        self._newest_first, self._conditions = newest_first, conditions

    def where(self, *conditions: ColumnElement[bool]) -> "Listing":
        """Only the rows of which these are true."""
        if not conditions:
            return self
        return Listing(
            self._document,
            *self._key,
            newest_first=self._newest_first,
            conditions=self._conditions + conditions,
        )

    def after(self, key: Key) -> "Listing":
        """Only the rows behind the one with this key."""
        place = tuple_(*self._key)
        return self.where(place < tuple(key) if self._newest_first else place > tuple(key))

    def behind(self, cursor: str | None) -> "Listing":
        """Only the rows behind a cursor, where there is one. Raises `InvalidInputError`."""
        if cursor is None:
            return self
        types = [str if _is_time(column) else int for column in self._key]
        return self.after(self.to_key(decode_cursor(cursor, *types)))

    def to_key(self, told: Sequence[Any]) -> Key:
        """A key from JSON, where times are texts. Raises `InvalidInputError`."""
        return [
            _parse_time(part) if _is_time(column) else part
            for column, part in zip(self._key, told, strict=True)
        ]

    def read(self, connection: Connection, *, limit: int, **values: Any) -> Rows:
        """The first rows, with the values that the conditions were built without."""
        row = self._statement.first(connection, {"limit": limit, **values})
        documents, keys = (text.split(SEPARATOR) if text else [] for text in row)
        return documents, keys

    @cached_property
    def _statement(self) -> Prepared:
        ordered = [column.desc() if self._newest_first else column.asc() for column in self._key]
        rows = (
            select(self._document.label("document"), json_array(*self._key).label("key"))
            .where(*self._conditions)
            .order_by(*ordered)
            # Neither database orders anew, nor leaves the order out, what is cut off after it.
            .limit(bindparam("limit", type_=Integer))
            .subquery()
        )
        return Prepared(select(joined(rows.c.document), joined(rows.c.key)))


def read_page(listing: Listing, *, limit: int, newest_last: bool = False, **values: Any) -> Page:
    """The first rows of a listing, and the cursor of those behind them."""
    with db.engine.connect() as connection:
        documents, keys = listing.read(connection, limit=limit + 1, **values)
    next_cursor = encode_cursor(orjson.loads(keys[limit - 1])) if len(keys) > limit else None
    shown = documents[:limit]
    return Page.of(shown[::-1] if newest_last else shown, next_cursor)


def read_whole(*listings: Listing, **values: Any) -> IO[bytes]:
    """Listings one behind the other as one list, rewound: one snapshot of the database.

    No transaction is left open for a slow reader.
    """
    spool = SpooledTemporaryFile(max_size=IN_MEMORY)
    separator = "["
    with begin_snapshot(db.engine) as connection:
        for listing in listings:
            for documents in _batches(connection, listing, values):
                spool.write((separator + ",".join(documents)).encode())
                separator = ","
    spool.write(b"[]" if separator == "[" else b"]")
    spool.seek(0)
    return spool


def _batches(
    connection: Connection, listing: Listing, values: dict[str, Any]
) -> Iterator[list[str]]:
    documents, keys = listing.read(connection, limit=FETCH, **values)
    while documents:
        yield documents
        if len(documents) < FETCH:
            return
        rest = listing.after(listing.to_key(orjson.loads(keys[-1])))
        documents, keys = rest.read(connection, limit=FETCH, **values)


def _is_time(column: InstrumentedAttribute[Any]) -> bool:
    return isinstance(column.type, DateTime)


def _parse_time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise bad_cursor() from error
    if moment.tzinfo is not None:
        raise bad_cursor()
    return moment
