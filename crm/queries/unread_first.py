"""The inbox's list with the unread customers before all others, newest activity first in each half.

Each half has an index of its own, so a page costs the same however long the list is. The cursor
says in which half it stands, and the newest event when the first page was made: who was read since
has been shown among the unread, or comes as an event, and is not shown twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import IO, Any

from sqlalchemy import ColumnElement, Row, bindparam, exists, literal_column, tuple_

from crm.events import MessagesRead
from crm.models import Customer, Event
from crm.queries.customers import SUMMARIES, CustomerFilter, filtered, parse_moment
from crm.queries.pages import (
    LIMIT,
    Page,
    bad_cursor,
    decode_cursor,
    encode_cursor,
    read_all,
    read_rows,
    read_version,
    to_page,
)

# As it stands in the indexes: with a parameter no database would know that they fit.
IS_UNREAD: ColumnElement[bool] = Customer.unread_count > literal_column("0")
IS_READ: ColumnElement[bool] = Customer.unread_count <= literal_column("0")
_WAS_READ_SINCE = exists().where(
    Event.customer_id == Customer.id,
    Event.id > bindparam("version"),
    Event.type == MessagesRead.type,
)
_ALL = SUMMARIES.order_by(None).order_by(
    IS_UNREAD.desc(), Customer.active_at.desc(), Customer.id.desc()
)
_UNREAD = SUMMARIES.where(IS_UNREAD).limit(LIMIT)
_READ = SUMMARIES.where(IS_READ, ~_WAS_READ_SINCE).limit(LIMIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a page begins; `after` None: at the top of its half."""

    among_unread: bool
    after: tuple[datetime, int] | None
    version: int


def all_unread_first(chosen: CustomerFilter) -> IO[bytes]:
    """Every summary."""
    return read_all(filtered(_ALL, chosen))


def page_unread_first(chosen: CustomerFilter, *, limit: int, cursor: str | None) -> Page:
    """Some summaries, from the cursor on."""
    place = _top() if cursor is None else _decode(cursor)
    unread = _read_half(chosen, place, limit + 1) if place.among_unread else []
    rest = limit + 1 - len(unread)
    if place.among_unread:
        place = replace(place, among_unread=False, after=None)
    rows = [*unread, *(_read_half(chosen, place, rest) if rest else [])]
    next_cursor = None
    if len(rows) > limit:
        key = list(rows[limit - 1])[1:]
        next_cursor = encode_cursor([int(limit <= len(unread)), *key, place.version])
    return to_page(rows[:limit], next_cursor)


def _read_half(chosen: CustomerFilter, place: Place, limit: int) -> Sequence[Row[Any]]:
    statement = filtered(_UNREAD if place.among_unread else _READ, chosen)
    if place.after is not None:
        statement = statement.where(tuple_(Customer.active_at, Customer.id) < place.after)
    values = {} if place.among_unread else {"version": place.version}
    return read_rows(statement, limit=limit, **values)


def _top() -> Place:
    return Place(among_unread=True, after=None, version=read_version().event_id)


def _decode(cursor: str) -> Place:
    half, moment, last_id, version = decode_cursor(cursor, int, str, int, int)
    if half not in {0, 1}:
        raise bad_cursor()
    after = parse_moment(moment), last_id
    return Place(among_unread=bool(half), after=after, version=version)
