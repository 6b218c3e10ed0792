"""Chats, and messages by state."""

from dataclasses import dataclass
from typing import IO

from sqlalchemy import ColumnElement, bindparam, exists, func, select

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
_IS_OF_CHAT = Message.customer_id == bindparam("customer_id")
_OLDEST_FIRST = Listing(wire.MESSAGE.as_sql(), Message.id)
_NEWEST_FIRST = Listing(wire.MESSAGE.as_sql(), Message.id, newest_first=True)
_CHAT, _CHAT_FROM_ITS_END = _OLDEST_FIRST.where(_IS_OF_CHAT), _NEWEST_FIRST.where(_IS_OF_CHAT)


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
    chat = _CHAT_FROM_ITS_END.behind(cursor)
    page = read_page(chat, limit=limit, newest_last=True, customer_id=customer_id)
    if page.body == b"[]":
        find_customer(customer_id)
    return page


def all_in_state(status: str) -> IO[bytes]:
    """Every outbound message in this state, newest first."""
    return read_whole(_NEWEST_FIRST.where(*_in_state(status)))


def page_in_state(status: str, *, limit: int, cursor: str | None) -> Page:
    """Some outbound messages in this state, newest first."""
    return read_page(_NEWEST_FIRST.where(*_in_state(status)).behind(cursor), limit=limit)


def read_totals(customer_id: int) -> ChatTotals:
    """What a chat holds, counted in one statement. Raises `CustomerNotFoundError`."""
    is_outbound = Message.direction == Direction.OUTBOUND
    row = db.session.execute(
        select(
            exists().where(Customer.id == customer_id).label("is_known"),
            func.count().filter(Message.direction == Direction.INBOUND).label("received"),
            func.count().filter(is_outbound, Message.dispatch == Dispatch.MAPPED).label("sent"),
            func.count().filter(is_outbound, Message.dispatch == Dispatch.FAILED).label("failed"),
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


def _in_state(status: str) -> list[ColumnElement[bool]]:
    acks = {name: ack for ack, name in ACK_STATUS.items()}
    if status in acks:
        return [
            Message.direction == Direction.OUTBOUND,
            Message.dispatch == Dispatch.MAPPED,
            Message.ack == acks[status],
        ]
    return [Message.direction == Direction.OUTBOUND, Message.dispatch == status]
