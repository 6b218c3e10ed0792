"""What customers write, and how far agents have read it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import bindparam, exists, func, select, update
from sqlalchemy.orm import Session

from crm import clock, jobs, wire
from crm.errors import CustomerNotFoundError, MessageNotFoundError
from crm.events import CustomerCreated, MessageReceived, MessagesRead, MessageStatusChanged
from crm.models import CounterName, Customer, Direction, Message
from crm.models.latency import Latency
from crm.services.customers import find_customer_by, find_or_create_customer, lock_customer
from crm.transaction import transaction

UNREAD_ACK, READ_ACK = 2, 3

_KNOWN_INBOUND = select(Message).where(
    Message.customer_id == bindparam("customer_id"),
    Message.direction == Direction.INBOUND,
    Message.whatsapp_id == bindparam("whatsapp_id"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """A message as the gateway tells it; `phone` may be empty where a `lid` is given."""

    phone: str
    lid: str | None
    content: str
    name: str | None = None
    whatsapp_id: str | None = None
    timestamp: datetime | None = None
    media: dict[str, Any] | None = None
    window_closes_at: datetime | None = None


def receive_message(inbound: Inbound, *, request_id: str | None) -> tuple[Message, bool]:
    """Store what a customer wrote, exactly once; returns it and whether it is new."""
    with transaction(shares_commit=True) as tx:
        customer, created = find_or_create_customer(
            tx, phone=inbound.phone, lid=inbound.lid, name=inbound.name
        )
        known = _find_inbound(tx.session, customer.id, inbound.whatsapp_id)
        if known:
            return known, False
        moment = clock.now()
        message = Message(
            customer_id=customer.id,
            direction=Direction.INBOUND,
            content=inbound.content,
            timestamp=min(inbound.timestamp or moment, moment),
            ack=UNREAD_ACK,
            whatsapp_id=inbound.whatsapp_id,
            media=inbound.media,
            request_id=request_id,
            attempts=0,
        )
        tx.session.add(message)
        tx.session.flush()
        customer.unread_count += 1
        customer.show_message(message.content, message.timestamp)
        _open_window(customer, inbound.window_closes_at)
        tx.count(CounterName.MESSAGES_RECEIVED)
        if inbound.timestamp:
            tx.measure(Latency.INBOUND, inbound.timestamp)
        row = wire.customer_summary(customer)
        if created:
            tx.record(CustomerCreated(customer_id=customer.id, customer=row))
        told = wire.message(message)
        tx.record(MessageReceived(customer_id=customer.id, message=told, customer=row))
        return message, True


def change_media(
    *, phone: str, lid: str | None, whatsapp_id: str, media: dict[str, Any]
) -> Message:
    """The gateway has stored the file of an inbound message, or gave up on it."""
    with transaction() as tx:
        customer = find_customer_by(tx.session, phone=phone, lid=lid)
        if customer is None:
            raise CustomerNotFoundError
        message = _find_inbound(tx.session, customer.id, whatsapp_id)
        if message is None:
            raise MessageNotFoundError
        if message.media != media:
            message.media = media
            told = wire.inbound_state(message)
            tx.record(MessageStatusChanged(customer_id=customer.id, message=told))
        return message


def mark_read(customer_id: int, *, up_to: int | None) -> Customer:
    """Mark a chat read up to a message that was shown, or to its newest one."""
    with transaction() as tx:
        customer = lock_customer(tx.session, customer_id)
        newest = tx.session.scalar(
            select(func.max(Message.id)).where(Message.customer_id == customer_id)
        )
        if up_to is not None and not tx.session.scalar(
            select(exists().where(Message.customer_id == customer_id, Message.id == up_to))
        ):
            raise MessageNotFoundError
        limit = up_to or newest or 0
        read = tx.session.scalars(
            update(Message)
            .where(
                Message.customer_id == customer_id,
                Message.direction == Direction.INBOUND,
                Message.ack < READ_ACK,
                Message.id <= limit,
            )
            .values(ack=READ_ACK)
            .returning(Message.id)
        ).all()
        if read:
            customer.unread_count -= len(read)
            if current_app.config["READ_RECEIPTS"]:
                tx.enqueue(jobs.tell_read(customer_id, min(read), limit))
            tx.record(
                MessagesRead(
                    customer_id=customer_id,
                    up_to=limit,
                    customer=wire.customer_summary(customer),
                )
            )
        return customer


def _open_window(customer: Customer, closes_at: datetime | None) -> None:
    known = customer.window_closes_at
    # A message that came late must not shorten what a later one opened; one of a line that knows
    # no windows ends what another line, used before, has told.
    if closes_at is None or known is None or closes_at > known:
        customer.window_closes_at = closes_at


def _find_inbound(session: Session, customer_id: int, whatsapp_id: str | None) -> Message | None:
    if whatsapp_id is None:
        return None
    return session.scalar(_KNOWN_INBOUND, {"customer_id": customer_id, "whatsapp_id": whatsapp_id})
