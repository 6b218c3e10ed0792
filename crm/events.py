"""The catalogue of events, and how they are written into the log.

Each class is one `type` of the stream; its fields are the JSON object that browsers get, beside
`type`. Events carry absolute state, so a client never counts. `docs/events.md` lists them all.
Those of `CATALOGUE` are rows of the log; those of `EPHEMERAL` only pass by.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import orjson
from sqlalchemy import Connection, func, insert, select

from crm import clock
from crm.models import Event
from crm.prepared import Prepared, PreparedInsert

APPEND_LOCK = 0x43524D
"""PostgreSQL's advisory lock that gives event ids the order of their commits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainEvent:
    """Something that happened to a customer, a message or the gateway."""

    type: ClassVar[str]
    customer_id: int | None

    def to_json(self) -> bytes:
        """The event as the stream shows it."""
        return _to_json(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReceived(DomainEvent):
    """A customer wrote. `message` is the whole message, `customer` the list row after it."""

    type: ClassVar[str] = "inbound_message"
    message: dict[str, Any]
    customer: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerCreated(DomainEvent):
    """A customer exists. `customer` is its list row."""

    type: ClassVar[str] = "new_customer"
    customer: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSeen(DomainEvent):
    """The customer has read an outbound message: once a message, at its first ack of 3 or more."""

    type: ClassVar[str] = "message_seen"
    message_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageQueued(DomainEvent):
    """An agent wrote. `message` is the whole message, `customer` the list row after it."""

    type: ClassVar[str] = "outbound_message"
    message: dict[str, Any]
    customer: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageStatusChanged(DomainEvent):
    """`message` has `id`, `ack`, `status`, `whatsapp_id`, `error` as they are now."""

    type: ClassVar[str] = "message_status"
    message: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesRead(DomainEvent):
    """An agent has read a chat up to message `up_to`, or what was unread in it is erased."""

    type: ClassVar[str] = "messages_read"
    up_to: int
    customer: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerUpdated(DomainEvent):
    """Name, status, remark, picture or other fields changed. `customer` is the list row."""

    type: ClassVar[str] = "customer_updated"
    customer: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerDeleted(DomainEvent):
    """A customer and all its messages are erased."""

    type: ClassVar[str] = "customer_deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayStatusChanged(DomainEvent):
    """The gateway's own status, or that it cannot be reached."""

    type: ClassVar[str] = "gateway_status"
    gateway: dict[str, Any]


CATALOGUE: tuple[type[DomainEvent], ...] = (
    MessageReceived,
    CustomerCreated,
    MessageSeen,
    MessageQueued,
    MessageStatusChanged,
    MessagesRead,
    CustomerUpdated,
    CustomerDeleted,
    GatewayStatusChanged,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ephemeral:
    """Something that is true for seconds: told to the streams that are open, without an id.

    It is neither stored nor replayed and may get lost, so it costs no write and moves no id.
    """

    type: ClassVar[str]
    customer_id: int

    def to_json(self) -> bytes:
        """The object as the stream shows it."""
        return _to_json(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceChanged(Ephemeral):
    """Who shows a chat, at the server's time `at`: all of them, each until its `expires_at`."""

    type: ClassVar[str] = "presence"
    at: str
    present: list[dict[str, Any]]


def _to_json(event: DomainEvent | Ephemeral) -> bytes:
    # Not `asdict`, which copies all that is in it.
    found = {field.name: getattr(event, field.name) for field in fields(event)}
    return orjson.dumps({"type": event.type, **found})


EPHEMERAL: tuple[type[Ephemeral], ...] = (PresenceChanged,)

RESET = orjson.dumps({"type": "reset"})
"""Told to a client whose gap cannot be filled: refetch everything. Never stored."""


_APPEND = PreparedInsert(Event)
_LOG: Any = Event.__table__
_APPEND_ALL = insert(_LOG).returning(_LOG.c.id, sort_by_parameter_order=True)
_ORDER_COMMITS = Prepared(select(func.pg_advisory_xact_lock(APPEND_LOCK)))


def append(connection: Connection, events: Sequence[DomainEvent]) -> list[tuple[int, bytes]]:
    """Write the events last in the transaction; returns their ids and JSON, in order."""
    if connection.dialect.name == "postgresql":
        # SQLite's BEGIN IMMEDIATE orders the commits already.
        _ORDER_COMMITS.all(connection, {})
    moment = clock.now()
    documents = [event.to_json() for event in events]
    rows = [
        {
            "type": event.type,
            "customer_id": event.customer_id,
            "data": document.decode(),
            "created_at": moment,
        }
        for event, document in zip(events, documents, strict=True)
    ]
    if len(rows) == 1:  # as nearly always
        ids: Sequence[int] = [_APPEND.add(connection, rows[0])]
    else:
        ids = connection.scalars(_APPEND_ALL, rows).all()
    return list(zip(ids, documents, strict=True))
