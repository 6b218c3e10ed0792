"""Chats, and messages by state."""

from dataclasses import dataclass
from typing import IO, Any

from sqlalchemy import bindparam, exists, func, select

from crm import clock, wire
from crm.errors import CustomerNotFoundError
from crm.extensions import db
from crm.models import Customer, Direction, Dispatch, Message
from crm.models.message import ACK_STATUS
from crm.queries.customers import find_customer
from crm.queries.listing import Listing, read_page, read_whole
from crm.queries.pages import Page

STATUSES = (*(str(dispatch) for dispatch in Dispatch if dispatch != Dispatch.MAPPED),
            *ACK_STATUS.values())  # fmt: skip
"""Every state that an outbound message can be shown in."""
_ACKS = {name: ack for ack, name in ACK_STATUS.items()}
_IS_OF_CHAT = Message.customer_id == bindparam("customer_id")
_CHAT = Listing(wire.MESSAGE.as_sql(), Message.id).where(_IS_OF_CHAT, in_index=True)
_END_OF_CHAT = Listing(wire.MESSAGE.as_sql(), Message.id, newest_last=True).where(
    _IS_OF_CHAT, in_index=True
)
_NEWEST_FIRST = Listing(wire.MESSAGE.as_sql(), Message.id, newest_first=True)
_IS_OUTBOUND = Message.direction == Direction.OUTBOUND
_WAITING_OR_OVER = _NEWEST_FIRST.where(_IS_OUTBOUND, Message.dispatch == bindparam("dispatch"))
_WITH_ACK = _NEWEST_FIRST.where(
    _IS_OUTBOUND, Message.dispatch == Dispatch.MAPPED, Message.ack == bindparam("ack")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatTotals:
    """Messages of one chat; sent are those that WhatsApp has."""

    received: int
    sent: int
    failed: int
    first_message_at: str | None


def whole_chat(customer_id: int) -> IO[bytes]:
    """Every message of a customer, oldest first. Raises `CustomerNotFoundError`."""
    find_customer(customer_id)
    return read_whole(_CHAT, customer_id=customer_id)


def page_of_chat(customer_id: int, *, limit: int, cursor: str | None) -> Page:
    """The newest messages of a customer, or those before the cursor; oldest first."""
    page = read_page(_END_OF_CHAT, limit=limit, cursor=cursor, customer_id=customer_id)
    if page.body == b"[]":
        find_customer(customer_id)
    return page


def all_in_state(status: str) -> IO[bytes]:
    """Every outbound message in this state, newest first."""
    listing, values = _in_state(status)
    return read_whole(listing, **values)


def page_in_state(status: str, *, limit: int, cursor: str | None) -> Page:
    """Some outbound messages in this state, newest first."""
    listing, values = _in_state(status)
    return read_page(listing, limit=limit, cursor=cursor, **values)


def read_totals(customer_id: int) -> ChatTotals:
    """What a chat holds, counted in one statement. Raises `CustomerNotFoundError`."""
    row = db.session.execute(
        select(
            exists().where(Customer.id == customer_id).label("is_known"),
            func.count().filter(Message.direction == Direction.INBOUND).label("received"),
            func.count().filter(_IS_OUTBOUND, Message.dispatch == Dispatch.MAPPED).label("sent"),
            func.count().filter(_IS_OUTBOUND, Message.dispatch == Dispatch.FAILED).label("failed"),
            func.min(Message.timestamp).label("first_message_at"),
        ).where(Message.customer_id == customer_id)
    ).one()
    if not row.is_known:
        raise CustomerNotFoundError
    return ChatTotals(
        received=row.received,
        sent=row.sent,
        failed=row.failed,
        first_message_at=clock.to_wire(row.first_message_at),
    )


def _in_state(status: str) -> tuple[Listing, dict[str, Any]]:
    """The messages that are shown in this state, and the values that their conditions name."""
    if status in _ACKS:
        return _WITH_ACK, {"ack": _ACKS[status]}
    return _WAITING_OR_OVER, {"dispatch": status}
