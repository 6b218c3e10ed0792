"""The inbox's list with the unread customers before all others, newest activity first in each half.

Each half has an index of its own, so a page costs the same however long the list is. The cursor
says in which half it stands, and the newest event when the first page was made: who was read since
has been shown among the unread, or comes as an event, and is not shown twice.
"""

from dataclasses import dataclass, replace
from typing import IO, Any

import orjson
from sqlalchemy import ColumnElement, bindparam, exists, literal_column

from crm.events import MessagesRead
from crm.extensions import db
from crm.models import Customer, Event
from crm.queries.customers import SUMMARIES, CustomerFilter, conditions
from crm.queries.listing import Key, Rows, read_whole
from crm.queries.pages import Page, bad_cursor, decode_cursor, encode_cursor, read_version

# As it stands in the indexes: with a parameter no database would know that they fit.
IS_UNREAD: ColumnElement[bool] = Customer.unread_count > literal_column("0")
IS_READ: ColumnElement[bool] = Customer.unread_count <= literal_column("0")
_WAS_READ_SINCE = exists().where(
    Event.customer_id == Customer.id,
    Event.id > bindparam("version"),
    Event.type == MessagesRead.type,
)
_UNREAD, _READ = SUMMARIES.where(IS_UNREAD), SUMMARIES.where(IS_READ)
_READ_BEFORE = _READ.where(~_WAS_READ_SINCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a page begins; `after` None: at the top of its half."""

    among_unread: bool
    after: Key | None
    version: int


def all_unread_first(chosen: CustomerFilter) -> IO[bytes]:
    """Every summary."""
    only = conditions(chosen)
    return read_whole(_UNREAD.where(*only), _READ.where(*only))


def page_unread_first(chosen: CustomerFilter, *, limit: int, cursor: str | None) -> Page:
    """Some summaries, from the cursor on."""
    place = _top() if cursor is None else _decode(cursor)
    documents, keys = _read_half(chosen, place, limit + 1) if place.among_unread else ([], [])
    unread, rest = len(documents), limit + 1 - len(documents)
    if rest:
        if place.among_unread:
            place = replace(place, among_unread=False, after=None)
        more, their_keys = _read_half(chosen, place, rest)
        documents, keys = documents + more, keys + their_keys
    next_cursor = None
    if len(documents) > limit:
        key: list[Any] = orjson.loads(keys[limit - 1])
        next_cursor = encode_cursor([int(limit <= unread), *key, place.version])
    return Page.of(documents[:limit], next_cursor)


def _read_half(chosen: CustomerFilter, place: Place, limit: int) -> Rows:
    half = (_UNREAD if place.among_unread else _READ_BEFORE).where(*conditions(chosen))
    if place.after is not None:
        half = half.after(place.after)
    values = {} if place.among_unread else {"version": place.version}
    with db.engine.connect() as connection:
        return half.read(connection, limit=limit, **values)


def _top() -> Place:
    return Place(among_unread=True, after=None, version=read_version().event_id)


def _decode(cursor: str) -> Place:
    half, moment, last_id, version = decode_cursor(cursor, int, str, int, int)
    if half not in {0, 1}:
        raise bad_cursor()
    after = SUMMARIES.to_key([moment, last_id])
    return Place(among_unread=bool(half), after=after, version=version)
