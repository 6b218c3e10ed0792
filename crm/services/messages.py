"""Writing, receiving and reading messages."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, exists, func, select, update
from sqlalchemy.orm import Session

from crm import clock, jobs, wire
from crm.database import add_unless_taken
from crm.errors import DatabaseBusyError, IdempotencyKeyReusedError, MessageNotFoundError
from crm.events import CustomerCreated, MessageQueued, MessageReceived, MessagesRead
from crm.models import CounterName, Customer, Direction, Dispatch, Message
from crm.services.customers import find_or_create_customer, lock_customer
from crm.services.turns import has_open_message
from crm.transaction import Transaction, transaction

PENDING_ACK = 1
"""Of an outbound message from the start, as in the API document; `status` tells the truth."""
UNREAD_ACK, READ_ACK = 2, 3

_BY_KEY = select(Message).where(Message.idempotency_key == bindparam("key"))
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


def send_message(
    customer_id: int, content: str, *, idempotency_key: str | None, request_id: str | None
) -> tuple[Message, bool]:
    """Store a message to be delivered; returns it and whether it is new.

    A repeated key gives the first message again. Raises `CustomerNotFoundError`, and
    `IdempotencyKeyReusedError` where the key came with another body before.
    """
    body_hash = hashlib.sha256(f"{customer_id}\n{content}".encode()).hexdigest()
    with transaction() as tx:
        earlier = _find_by_key(tx.session, idempotency_key, body_hash)
        if earlier:
            return earlier, False
        customer = lock_customer(tx.session, customer_id)
        message = _new_outbound(customer, content)
        message.idempotency_key, message.request_id = idempotency_key, request_id
        message.body_hash = body_hash if idempotency_key else None
        waits = has_open_message(tx.session, customer_id)
        message.hinted_at = None if waits else message.queued_at
        if not add_unless_taken(tx.session, message):
            earlier = _find_by_key(tx.session, idempotency_key, body_hash)
            if earlier is None:
                raise DatabaseBusyError  # its like was erased meanwhile: the caller tries again
            return earlier, False
        _announce_outbound(tx, customer, message)
        if not waits:
            tx.enqueue(jobs.deliver_message(message.id))
        return message, True


def receive_message(inbound: Inbound, *, request_id: str | None) -> tuple[Message, bool]:
    """Store what a customer wrote, exactly once; returns it and whether it is new."""
    with transaction() as tx:
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
            request_id=request_id,
            attempts=0,
        )
        tx.session.add(message)
        tx.session.flush()
        customer.unread_count += 1
        customer.show_message(message.content, message.timestamp)
        tx.count(CounterName.MESSAGES_RECEIVED)
        row = wire.customer_summary(customer)
        if created:
            tx.record(CustomerCreated(customer_id=customer.id, customer=row))
        told = wire.message(message)
        tx.record(MessageReceived(customer_id=customer.id, message=told, customer=row))
        return message, True


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
            tx.record(
                MessagesRead(
                    customer_id=customer_id,
                    up_to=limit,
                    customer=wire.customer_summary(customer),
                )
            )
        return customer


def _new_outbound(customer: Customer, content: str) -> Message:
    moment = clock.now()
    return Message(
        customer_id=customer.id,
        direction=Direction.OUTBOUND,
        content=content,
        timestamp=moment,
        ack=PENDING_ACK,
        dispatch=Dispatch.QUEUED,
        queued_at=moment,
        due_at=moment,
        attempts=0,
    )


def _announce_outbound(tx: Transaction, customer: Customer, message: Message) -> None:
    customer.show_message(message.content, message.timestamp)
    tx.record(
        MessageQueued(
            customer_id=customer.id,
            message=wire.message(message),
            customer=wire.customer_summary(customer),
        )
    )


def _find_by_key(session: Session, key: str | None, body_hash: str) -> Message | None:
    if key is None:
        return None
    message = session.scalar(_BY_KEY, {"key": key})
    if message and message.body_hash != body_hash:
        raise IdempotencyKeyReusedError
    return message


def _find_inbound(session: Session, customer_id: int, whatsapp_id: str | None) -> Message | None:
    if whatsapp_id is None:
        return None
    return session.scalar(_KNOWN_INBOUND, {"customer_id": customer_id, "whatsapp_id": whatsapp_id})
