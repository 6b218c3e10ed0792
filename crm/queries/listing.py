"""Lists as JSON bytes: whole ones from one snapshot, or pages with an opaque keyset cursor.

The database makes the text of a page, and hands it over as one row. SQLite lets other threads have
the interpreter at each row that it hands over, and to get it back costs more than to make the row.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cached_property
from tempfile import SpooledTemporaryFile
from typing import IO, Any, NamedTuple

import orjson
from sqlalchemy import (
    ColumnElement,
    Connection,
    DateTime,
    Integer,
    Select,
    bindparam,
    case,
    func,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy.orm import InstrumentedAttribute

from crm.database import begin_snapshot
from crm.extensions import db
from crm.json_sql import joined, json_array
from crm.prepared import Prepared
from crm.queries.pages import Page, bad_cursor, decode_cursor

FETCH = 1000
"""Rows of a whole list that are read at once."""
IN_MEMORY = 4 * 1024 * 1024
"""Bytes of a whole list that are held in memory; a longer one goes through a temporary file."""

Key = Sequence[Any]
"""What tells a row's place in its list."""
Conditions = tuple[ColumnElement[bool], ...]
_LIMIT = bindparam("limit", type_=Integer)
_ONE = literal_column("1", Integer)


class Rows(NamedTuple):
    """Some rows of a list, in its order."""

    documents: bytes
    """Their JSON objects, a comma between two."""
    size: int
    last_key: list[Any] | None
    """The key of the last one as JSON has it, where there are as many as were asked for."""
    is_followed: bool
    """Whether there are rows behind them."""


NO_ROWS = Rows(b"", 0, None, False)


class Listing:
    """Rows as JSON, ordered by columns that are unique together and never NULL.

    `newest_last`: the newest rows, in their natural order, by one column. Statements are made once,
    since that costs more than to run them: what a request brings has a name in the conditions.
    """

    def __init__(
        self,
        document: ColumnElement[str],
        *key: InstrumentedAttribute[Any],
        newest_first: bool = False,
        newest_last: bool = False,
    ) -> None:
        assert len(key) == 1 or not newest_last, "its oldest row is found by one column"
        self._document, self._key = document, key
        self._newest_last, self._from_newest = newest_last, newest_first or newest_last
        self._conditions: Conditions = ()
        self._is_in_index = True
        self._narrower: dict[Conditions, Listing] = {}

    def where(self, *conditions: ColumnElement[bool], in_index: bool = False) -> "Listing":
        """Only the rows of which these are true; the same listing for the same conditions.

        `in_index`: one index has the conditions and the key, so that to look for a key is cheap.
        """
        if not conditions:
            return self
        assert in_index or not self._newest_last, "the key of its last row is not the last key"
        if conditions not in self._narrower:
            narrower = Listing(
                self._document,
                *self._key,
                newest_first=self._from_newest,
                newest_last=self._newest_last,
            )
            narrower._conditions = self._conditions + conditions
            narrower._is_in_index = self._is_in_index and in_index
            self._narrower[conditions] = narrower
        return self._narrower[conditions]

    def to_key(self, cursor: str | None) -> Key | None:
        """The key in a cursor, where there is one. Raises `InvalidInputError`."""
        if cursor is None:
            return None
        types = [str if _is_time(column) else int for column in self._key]
        return self.parse_key(decode_cursor(cursor, *types))

    def parse_key(self, told: Sequence[Any]) -> Key:
        """A key from JSON, where times are texts. Raises `InvalidInputError`."""
        return [
            _parse_time(part) if _is_time(column) else part
            for column, part in zip(self._key, told, strict=True)
        ]

    def read(
        self, connection: Connection, *, limit: int, behind: Key | None = None, **values: Any
    ) -> Rows:
        """The first rows, or those behind a key, with the values that the conditions name."""
        documents, size, keys = self._ask(connection, limit, behind, values)
        if size < limit:
            return Rows(documents or b"", size, None, False)
        if self._is_in_index:
            last, *others = orjson.loads(b"[%b]" % keys)
            return Rows(documents, size, last, bool(others))
        *_, last = orjson.loads(b"[%b]" % keys)
        _, more, _ = self._ask(connection, 1, self.parse_key(last), values)
        return Rows(documents, size, last, more > 0)

    def _ask(
        self, connection: Connection, limit: int, behind: Key | None, values: dict[str, Any]
    ) -> tuple[bytes, int, bytes]:
        statement = self._from_top if behind is None else self._from_key
        place = {f"behind_{number}": part for number, part in enumerate(behind or ())}
        found: tuple[bytes, int, bytes] = statement.first(
            connection, {"limit": limit, **values, **place}
        )
        return found

    @cached_property
    def _from_top(self) -> Prepared:
        return Prepared(self._statement(self._conditions))

    @cached_property
    def _from_key(self) -> Prepared:
        place = tuple_(*self._key)
        key = tuple_(
            *(bindparam(f"behind_{n}", type_=column.type) for n, column in enumerate(self._key))
        )
        return Prepared(
            self._statement((*self._conditions, place < key if self._from_newest else place > key))
        )

    def _statement(self, conditions: Conditions) -> Select[bytes, int, bytes]:
        """The rows as one text, how many they are, and keys: of all, or of the last and the next.

        Those two are looked for by themselves, but for where that were to look at rows twice.
        """
        order = [column.desc() if self._from_newest else column.asc() for column in self._key]
        rows = self._shown(conditions, order)
        size = func.count().label("size")
        if not self._is_in_index:
            whole = rows.add_columns(json_array(*self._key).label("key")).subquery()
            return select(joined(whole.c.document), size, joined(whole.c.key)).select_from(whole)
        texts = rows.subquery()
        page = select(joined(texts.c.document).label("documents"), size).select_from(texts)
        shown = page.subquery()
        keys = select(json_array(*self._key).label("key")).where(*conditions).order_by(*order)
        last_two = keys.limit(2).offset(_LIMIT - _ONE).subquery()
        last_two_keys = select(joined(last_two.c.key)).scalar_subquery()
        return select(*shown.c, case((shown.c.size == _LIMIT, last_two_keys)))

    def _shown(self, conditions: Conditions, order: Sequence[ColumnElement[Any]]) -> Select[str]:
        """Neither database orders anew, nor leaves the order out, what is cut off after it."""
        rows = select(self._document.label("document"))
        if not self._newest_last:
            return rows.where(*conditions).order_by(*order).limit(_LIMIT)
        (key,) = self._key
        newest = select(key).where(*conditions).order_by(*order).limit(_LIMIT).subquery()
        oldest = select(func.min(newest.c[0])).scalar_subquery()
        return rows.where(*conditions, key >= oldest).order_by(key.asc()).limit(_LIMIT)


def read_page(listing: Listing, *, limit: int, cursor: str | None, **values: Any) -> Page:
    """The rows behind a cursor, or the first ones, and the cursor of those behind them."""
    behind = listing.to_key(cursor)
    with db.engine.connect() as connection:
        rows = listing.read(connection, limit=limit, behind=behind, **values)
    return Page.of(rows.documents, rows.last_key if rows.is_followed else None)


def read_whole(*listings: Listing, **values: Any) -> IO[bytes]:
    """Listings one behind the other as one list, rewound: one snapshot of the database.

    No transaction is left open for a slow reader.
    """
    spool = SpooledTemporaryFile(max_size=IN_MEMORY)
    separator = b"["
    with begin_snapshot(db.engine) as connection:
        for listing in listings:
            for documents in _batches(connection, listing, values):
                spool.write(separator)
                spool.write(documents)
                separator = b","
    spool.write(b"[]" if separator == b"[" else b"]")
    spool.seek(0)
    return spool


def _batches(connection: Connection, listing: Listing, values: dict[str, Any]) -> Iterator[bytes]:
    rows = listing.read(connection, limit=FETCH, **values)
    while rows.size:
        yield rows.documents
        if not (rows.last_key and rows.is_followed):
            return
        behind = listing.parse_key(rows.last_key)
        rows = listing.read(connection, limit=FETCH, behind=behind, **values)


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
