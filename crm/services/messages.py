"""Writing messages to customers."""

import hashlib
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, func, or_, select
from sqlalchemy.orm import Session

from crm import clock, jobs, wire
from crm.actors import SYSTEM, Actor
from crm.errors import (
    DatabaseBusyError,
    IdempotencyKeyReusedError,
    NewerMessagesError,
    WindowClosedError,
)
from crm.events import MessageQueued
from crm.models import Direction, Dispatch, Message, Priority
from crm.prepared import PreparedInsert
from crm.services.customers import lock_customer_row, show_message
from crm.services.turns import has_open_message
from crm.transaction import Transaction, transaction

PENDING_ACK = 1
"""Of an outbound message from the start, as in the API document; `status` tells the truth."""
NEWER_SHOWN = 20

_INSERT = PreparedInsert(Message, unless_taken="idempotency_key")
_BY_KEY = select(Message).where(Message.idempotency_key == bindparam("key"))
_NEWER = select(Message).where(
    Message.customer_id == bindparam("customer_id"),
    Message.id > bindparam("last_seen_id"),
    or_(Message.dispatch.is_(None), Message.dispatch != Dispatch.CANCELLED),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message that an agent, or a script, wants sent. `content` shows what a template says."""

    customer_id: int
    content: str
    template: dict[str, Any] | None = None
    priority: Priority = Priority.REPLY
    author: Actor = SYSTEM

    def fingerprint(self) -> str:
        """The same for the same body only: tells a repeated key from a reused one."""
        parts = [f"{self.customer_id}\n{self.content}".encode()]
        if self.template or self.priority:
            parts.append(orjson.dumps([self.template, self.priority]))
        return hashlib.sha256(b"\n".join(parts)).hexdigest()


def send_message(
    draft: Draft,
    *,
    idempotency_key: str | None,
    request_id: str | None,
    last_seen_id: int | None = None,
) -> tuple[Message, bool]:
    """Store a message to be delivered; returns it and whether it is new.

    A new one is a copy that no session knows.
    A repeated key gives the first message again. Raises `CustomerNotFoundError`,
    `WindowClosedError`, `IdempotencyKeyReusedError` where the key came with another body, and
    `NewerMessagesError` where the chat goes on after `last_seen_id` (0: none was seen).
    """
    with transaction(shares_commit=True) as tx:
        earlier = _find_by_key(tx, idempotency_key, draft)
        if earlier:
            return earlier, False
        customer = lock_customer_row(tx.connection, draft.customer_id)
        if draft.template is None:
            _require_open_window(customer)
        if last_seen_id is not None:
            # Its twin may have been stored while this one waited for the customer's lock.
            earlier = _find_by_key(tx, idempotency_key, draft)
            if earlier:
                return earlier, False
            _require_nothing_newer(tx.session, customer.id, last_seen_id)
        message = _new_outbound(draft, idempotency_key=idempotency_key, request_id=request_id)
        waits = has_open_message(tx.connection, customer.id)
        message.hinted_at = None if waits else message.queued_at
        if not _store(tx.connection, message):
            earlier = _find_by_key(tx, idempotency_key, draft)
            if earlier is None:
                raise DatabaseBusyError  # its like was erased meanwhile: the caller tries again
            return earlier, False
        _announce_outbound(tx, customer, message)
        if not waits:
            tx.enqueue(jobs.deliver_message(message.id, priority=message.priority))
        return message, True


def _require_open_window(customer: Any) -> None:
    closes_at = customer.window_closes_at
    if closes_at is not None and closes_at <= clock.now():
        raise WindowClosedError


def _require_nothing_newer(session: Session, customer_id: int, last_seen_id: int) -> None:
    """Under the customer's lock, so that of two who answer at once only one passes."""
    asked = {"customer_id": customer_id, "last_seen_id": last_seen_id}
    found = session.scalars(_NEWER.order_by(Message.id.desc()).limit(NEWER_SHOWN), asked).all()
    if not found:
        return
    count = len(found)
    if count == NEWER_SHOWN:
        count = session.scalar(_NEWER.with_only_columns(func.count()), asked) or count
    raise NewerMessagesError([wire.message(message) for message in reversed(found)], count=count)


def _new_outbound(draft: Draft, *, idempotency_key: str | None, request_id: str | None) -> Message:
    moment = clock.now()
    return Message(
        customer_id=draft.customer_id,
        direction=Direction.OUTBOUND,
        content=draft.content,
        template=draft.template,
        written_by=None if draft.author.kind == SYSTEM.kind else draft.author.as_author(),
        priority=draft.priority,
        idempotency_key=idempotency_key,
        body_hash=draft.fingerprint() if idempotency_key else None,
        request_id=request_id,
        timestamp=moment,
        ack=PENDING_ACK,
        dispatch=Dispatch.QUEUED,
        queued_at=moment,
        due_at=moment,
        attempts=0,
    )


def _store(connection: Connection, message: Message) -> bool:
    """Insert a new message; False where another transaction stored one with its key."""
    stored = _INSERT.try_to_add(connection, vars(message))
    if stored is not None:
        message.id = stored
    return stored is not None


def _announce_outbound(tx: Transaction, customer: Any, message: Message) -> None:
    tx.record(
        MessageQueued(
            customer_id=customer.id,
            message=wire.message(message),
            customer=show_message(tx, customer, message),
        )
    )


def _find_by_key(tx: Transaction, key: str | None, draft: Draft) -> Message | None:
    if key is None:
        return None
    message = tx.session.scalar(_BY_KEY, {"key": key})
    if message and message.body_hash != draft.fingerprint():
        raise IdempotencyKeyReusedError
    return message
