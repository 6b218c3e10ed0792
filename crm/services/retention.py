"""Messages are kept for RETENTION_DAYS and then erased, with every event that tells their text.

Whatever may still go out stays, as do customers and totals.
"""

import time
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

import orjson
import structlog
from flask import current_app
from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update

from crm import clock, wire
from crm.errors import DatabaseBusyError
from crm.events import CustomerUpdated, MessagesRead
from crm.models import Customer, Direction, Dispatch, Event, Message
from crm.models.customer import PREVIEW
from crm.services.inbox import READ_ACK
from crm.transaction import Transaction, transaction

log = structlog.get_logger(__name__)

BATCH = 100
TIME_LIMIT = 20.0
"""Seconds of one round; the next one is a minute after this one began."""
MAX_PAUSE = 0.1
MAY_GO_OUT = (Dispatch.QUEUED, Dispatch.SENDING, Dispatch.ACCEPTED)


def prune_messages() -> int:
    """Erase what was kept for long enough, batch by batch; returns how many messages."""
    days = current_app.config["RETENTION_DAYS"]
    if not days:
        return 0
    cutoff, give_up = clock.now() - timedelta(days=days), time.monotonic() + TIME_LIMIT
    erased = 0
    while time.monotonic() < give_up:
        began = time.perf_counter()
        try:
            count = _erase_batch(cutoff)
        except DatabaseBusyError:
            break  # agents come first; the next round goes on
        erased += count
        if count < BATCH:
            break
        time.sleep(min(time.perf_counter() - began, MAX_PAUSE))
    if erased:
        log.info("messages_erased", count=erased, days=days)
    return erased


def _erase_batch(cutoff: datetime) -> int:
    with transaction() as tx:
        candidates = tx.session.execute(
            select(Message.id, Message.customer_id)
            .where(_is_erasable(cutoff))
            .order_by(Message.timestamp)
            .limit(BATCH)
        ).all()
        # Customers first, as everywhere.
        customers = tx.session.scalars(
            select(Customer)
            .where(Customer.id.in_({customer_id for _, customer_id in candidates}))
            .order_by(Customer.id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        ).all()
        erased: dict[int, dict[int, str]] = defaultdict(dict)
        for message_id, customer_id, content in tx.session.execute(
            delete(Message)
            .where(Message.id.in_([message_id for message_id, _ in candidates]))
            .where(_is_erasable(cutoff))
            .returning(Message.id, Message.customer_id, Message.content)
            .execution_options(synchronize_session=False)
        ):
            erased[customer_id][message_id] = content
        for customer in customers:
            if customer.id in erased:
                _forget(tx, customer, erased[customer.id])
        return len(candidates)


def _is_erasable(cutoff: datetime) -> ColumnElement[bool]:
    """An agent's retry of an old message counts as new, so that its failure is seen."""
    return and_(
        Message.timestamp < cutoff,
        or_(Message.queued_at.is_(None), Message.queued_at < cutoff),
        or_(Message.dispatch.is_(None), Message.dispatch.not_in(MAY_GO_OUT)),
    )


def _forget(tx: Transaction, customer: Customer, erased: dict[int, str]) -> None:
    """Make the customer's row what the messages left say, and have the log not say more."""
    left = select(Message.content).where(Message.customer_id == customer.id)
    last = tx.session.scalar(left.order_by(Message.id.desc()).limit(1))
    customer.last_message = None if last is None else last[:PREVIEW]
    customer.last_timestamp = tx.session.scalar(left.with_only_columns(func.max(Message.timestamp)))
    customer.active_at = customer.last_timestamp or customer.created_at
    was_unread = customer.unread_count > 0
    customer.unread_count = (
        tx.session.scalar(
            left.with_only_columns(func.count()).where(
                Message.direction == Direction.INBOUND, Message.ack < READ_ACK
            )
        )
        or 0
    )
    customer.updated_at = clock.now()
    row = wire.customer_summary(customer)
    _rewrite_events(tx, customer.id, erased, row)
    if was_unread and not customer.unread_count:  # nobody has read them, yet nothing is unread
        tx.record(MessagesRead(customer_id=customer.id, up_to=max(erased), customer=row))
    tx.record(CustomerUpdated(customer_id=customer.id, customer=row))


def _rewrite_events(
    tx: Transaction, customer_id: int, erased: dict[int, str], row: dict[str, Any]
) -> None:
    """Events of the messages go; in others the list row does not show their text any more."""
    previews = {content[:PREVIEW] for content in erased.values()}
    gone: list[int] = []
    events = select(Event.id, Event.data).where(Event.customer_id == customer_id)
    for event_id, data in tx.session.execute(events).all():
        told = orjson.loads(data)
        if _message_of(told) in erased:
            gone.append(event_id)
        elif (told.get("customer") or {}).get("last_message") in previews:
            shown = orjson.dumps(told | {"customer": row}).decode()
            tx.session.execute(update(Event).where(Event.id == event_id).values(data=shown))
    if gone:
        tx.session.execute(delete(Event).where(Event.id.in_(gone)))


def _message_of(told: dict[str, Any]) -> int | None:
    message_id: int | None = (told.get("message") or {}).get("id", told.get("message_id"))
    return message_id
