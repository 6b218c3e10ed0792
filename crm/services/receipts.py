"""What WhatsApp proves about outbound messages: maps, acks and reads. Acks only rise."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Row, bindparam, delete, select, text
from sqlalchemy.orm import Session

from crm import clock, wire
from crm.errors import MappingConflictError, MessageNotFoundError
from crm.events import MessageSeen, MessageStatusChanged
from crm.models import CounterName, Direction, Dispatch, Message, ParkedAck
from crm.models.latency import Latency
from crm.models.message import OPEN
from crm.services.customers import lock_customer
from crm.services.turns import hint_next
from crm.transaction import Transaction, transaction

DELIVERED, SEEN = 2, 3
PARKED_FOR = timedelta(days=7)

# Built once: building a statement costs more than running it.
_BY_WHATSAPP_ID = select(Message).where(Message.whatsapp_id == bindparam("whatsapp_id"))
_OUTBOUND = _BY_WHATSAPP_ID.where(Message.direction == Direction.OUTBOUND).with_for_update()
_INBOUND = (
    _BY_WHATSAPP_ID.where(Message.direction == Direction.INBOUND).order_by(Message.id).limit(1)
)
_OWNER = select(Message.customer_id).where(
    Message.id == bindparam("message_id"), Message.direction == Direction.OUTBOUND
)
_MESSAGE = (
    select(Message)
    .where(Message.id == bindparam("message_id"), Message.direction == Direction.OUTBOUND)
    .with_for_update()
    .execution_options(populate_existing=True)
)
_TAKE_PARKED = (
    delete(ParkedAck)
    .where(ParkedAck.whatsapp_id == bindparam("whatsapp_id"))
    .returning(ParkedAck.ack)
    .execution_options(synchronize_session=False)
)
_HOLD = text("SELECT pg_advisory_xact_lock(hashtextextended(:whatsapp_id, 0))")


def record_ack(whatsapp_id: str, ack: int) -> Message | None:
    """Raise the ack of the message with this WhatsApp id; None where no map told of it yet."""
    with transaction(shares_commit=True) as tx:
        hold_whatsapp_id(tx.session, whatsapp_id)
        message = _lock_by_whatsapp_id(tx.session, whatsapp_id) or _find_inbound(
            tx.session, whatsapp_id
        )
        if message is None:
            _park(tx.session, whatsapp_id, ack)
        elif message.direction == Direction.OUTBOUND:
            raise_ack(tx, message, ack)
        return message


def map_message(message_id: int, whatsapp_id: str) -> Message:
    """Pair a message with its WhatsApp id: it did go out. Raises `MappingConflictError`."""
    with transaction(shares_commit=True) as tx:
        hold_whatsapp_id(tx.session, whatsapp_id)
        message = lock_outbound_message(tx.session, message_id)
        pair(tx, message, whatsapp_id)
        return message


def record_seen(
    message_id: int, whatsapp_id: str, *, delay_ms: int | None, to: str | None
) -> Message:
    """The customer has read it: map where needed, then ack 3. `delay_ms` and `to` are kept."""
    with transaction(shares_commit=True) as tx:
        hold_whatsapp_id(tx.session, whatsapp_id)
        message = lock_outbound_message(tx.session, message_id)
        pair(tx, message, whatsapp_id)
        if message.seen_delay_ms is None and message.seen_to is None:
            message.seen_delay_ms, message.seen_to = delay_ms, to
        raise_ack(tx, message, SEEN)
        return message


def pair(tx: Transaction, message: Message, whatsapp_id: str) -> None:
    """Give a locked message its WhatsApp id. The same pair again changes nothing."""
    if message.whatsapp_id == whatsapp_id:
        return
    if message.whatsapp_id is not None:
        raise MappingConflictError(f"Message {message.id} already has another WhatsApp id.")
    other = _lock_by_whatsapp_id(tx.session, whatsapp_id)
    if other is not None:
        raise MappingConflictError(f"This WhatsApp id already belongs to message {other.id}.")
    was_open = message.dispatch in OPEN
    message.whatsapp_id = whatsapp_id
    message.dispatch = Dispatch.MAPPED
    message.due_at = message.lease_until = None
    message.error = message.error_code = None
    tx.count(CounterName.MESSAGES_SENT)
    if message.queued_at:
        tx.measure(Latency.SENT, message.queued_at)
    announce(tx, message)
    raise_ack(tx, message, _take_parked(tx.session, whatsapp_id))
    if was_open:
        hint_next(tx, message.customer_id)


def raise_ack(tx: Transaction, message: Message, ack: int) -> None:
    """Raise the ack of a locked, mapped message; a lower or equal one changes nothing."""
    if ack <= message.ack:
        return
    first_seen = message.ack < SEEN <= ack
    if message.ack < DELIVERED and message.queued_at:
        tx.measure(Latency.DELIVERED, message.queued_at)
    message.ack = ack
    if message.dispatch == Dispatch.FAILED:
        # WhatsApp had given up on it by the gateway's word, and this proves the contrary.
        message.dispatch, message.error, message.error_code = Dispatch.MAPPED, None, None
    announce(tx, message)
    if first_seen:
        tx.record(MessageSeen(customer_id=message.customer_id, message_id=message.id))


def announce(tx: Transaction, message: Message | Row[Any]) -> None:
    """Tell the browsers the state of an outbound message, or of a row with its columns."""
    tx.record(
        MessageStatusChanged(customer_id=message.customer_id, message=wire.message_state(message))
    )


def lock_outbound_message(session: Session, message_id: int) -> Message:
    """An outbound message and its customer, held until the commit."""
    values = {"message_id": message_id}
    if session.get_bind().dialect.name == "postgresql":
        # Customer first, as everywhere. On SQLite this transaction is the only writer anyway.
        customer_id = session.scalar(_OWNER, values)
        if customer_id is None:
            raise MessageNotFoundError
        lock_customer(session, customer_id)
    message = session.scalar(_MESSAGE, values)
    if message is None:
        raise MessageNotFoundError
    return message


def hold_whatsapp_id(session: Session, whatsapp_id: str) -> None:
    """Let one transaction at a time speak of a WhatsApp id, and always before it locks rows.

    Without it, an ack that finds no message and a map that finds no parked ack could commit side
    by side, and the ack would lie parked for ever.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(_HOLD, {"whatsapp_id": whatsapp_id})


def prune_parked_acks(tx: Transaction) -> None:
    """Forget acks whose map never came."""
    old = ParkedAck.created_at < clock.now() - PARKED_FOR
    tx.session.execute(delete(ParkedAck).where(old))


def _lock_by_whatsapp_id(session: Session, whatsapp_id: str) -> Message | None:
    return session.scalar(_OUTBOUND, {"whatsapp_id": whatsapp_id})


def _find_inbound(session: Session, whatsapp_id: str) -> Message | None:
    return session.scalar(_INBOUND, {"whatsapp_id": whatsapp_id})


def _park(session: Session, whatsapp_id: str, ack: int) -> None:
    parked = session.get(ParkedAck, whatsapp_id)
    if parked is None:
        session.add(ParkedAck(whatsapp_id=whatsapp_id, ack=ack, created_at=clock.now()))
    else:
        parked.ack = max(parked.ack, ack)


def _take_parked(session: Session, whatsapp_id: str) -> int:
    return session.scalar(_TAKE_PARKED, {"whatsapp_id": whatsapp_id}) or 0
