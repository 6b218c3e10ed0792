"""The inbox's list with the unread customers before all others, newest activity first in each half.

Each half has an index of its own, so a page costs the same however long the list is. The cursor
says in which half it stands, and the newest event when the first page was made: who was read since
has been shown among the unread, or comes as an event, and is not shown twice.
"""

from dataclasses import dataclass, replace
from typing import IO, Any

from sqlalchemy import BigInteger, ColumnElement, Connection, bindparam, exists, literal_column

from crm.database import begin_snapshot
from crm.events import MessagesRead
from crm.extensions import db
from crm.models import Customer, Event
from crm.queries.customers import SUMMARIES, CustomerFilter, conditions
from crm.queries.listing import NO_ROWS, Key, Rows, read_whole
from crm.queries.pages import Page, bad_cursor, decode_cursor, version_seen_by

# As it stands in the indexes: with a parameter no database would know that they fit.
IS_UNREAD: ColumnElement[bool] = Customer.unread_count > literal_column("0")
IS_READ: ColumnElement[bool] = Customer.unread_count <= literal_column("0")
_WAS_READ_SINCE = exists().where(
    Event.customer_id == Customer.id,
    Event.id > bindparam("version", type_=BigInteger),
    Event.type == MessagesRead.type,
)
_UNREAD = SUMMARIES.where(IS_UNREAD, in_index=True)
_READ = SUMMARIES.where(IS_READ, in_index=True)
_READ_BEFORE = _READ.where(~_WAS_READ_SINCE, in_index=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a page begins; `after` None: at the top of its half."""

    among_unread: bool
    after: Key | None
    version: int


def all_unread_first(chosen: CustomerFilter) -> IO[bytes]:
    """Every summary."""
    only = conditions(chosen)
    return read_whole(_UNREAD.where(*only), _READ.where(*only), **chosen.values())


def page_unread_first(chosen: CustomerFilter, *, limit: int, cursor: str | None) -> Page:
    """Some summaries, from the cursor on.

    One snapshot: who is read between two of its statements would be in neither half.
    """
    asked = None if cursor is None else _decode(cursor)
    unread = read = NO_ROWS
    with begin_snapshot(db.engine) as connection:
        place = asked or _top(connection)
        if place.among_unread:
            unread = _read_half(connection, chosen, place, limit)
            place = replace(place, among_unread=False, after=None)
        if not unread.is_followed:  # of a page that is full, only whether there are others
            read = _read_half(connection, chosen, place, max(1, limit - unread.size))
    if unread.size < limit:
        documents = b",".join(half.documents for half in (unread, read) if half.size)
        key = read.last_key if read.is_followed else None
        return Page.of(documents, key and [0, *key, place.version])
    key = unread.last_key if unread.is_followed or read.size else None
    return Page.of(unread.documents, key and [1, *key, place.version])


def _read_half(connection: Connection, chosen: CustomerFilter, place: Place, limit: int) -> Rows:
    half = (_UNREAD if place.among_unread else _READ_BEFORE).where(*conditions(chosen))
    values: dict[str, Any] = {"version": place.version, **chosen.values()}
    return half.read(connection, limit=limit, behind=place.after, **values)


def _top(connection: Connection) -> Place:
    version = version_seen_by(connection)
    return Place(among_unread=True, after=None, version=version.event_id)


def _decode(cursor: str) -> Place:
    half, moment, last_id, version = decode_cursor(cursor, int, str, int, int)
    if half not in {0, 1}:
        raise bad_cursor()
    after = SUMMARIES.parse_key([moment, last_id])
    return Place(among_unread=bool(half), after=after, version=version)
