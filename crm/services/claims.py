"""A worker's right to send messages: one conditional UPDATE, each claim fenced by its number.

A result that comes after the lease ran out carries an old number, and is seen for what it is.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import bindparam, func, select, update

from crm import clock
from crm.gateway_client import SendOrder
from crm.models import Customer, Dispatch, Message, Priority
from crm.services import circuit
from crm.services.receipts import announce
from crm.services.turns import IS_HELD_BACK
from crm.transaction import Transaction, transaction

# Of these rows only a few columns are wanted, so they never become objects, which costs more.
_MINE = Message.id.in_(bindparam("message_ids", expanding=True))
_LOCK_CUSTOMERS = (
    select(Customer.id, Customer.address.label("address"))
    .where(Customer.id.in_(select(Message.customer_id).where(_MINE)))
    # In one order, or two batches that share customers would wait for each other.
    .order_by(Customer.id)
    .with_for_update(key_share=True)
)
_CLAIM = (
    update(Message)
    .where(
        _MINE,
        # Not by the column alone: for five ids or more SQLite would look at all that is queued.
        func.coalesce(Message.dispatch, "") == Dispatch.QUEUED,
        Message.due_at <= bindparam("moment"),
        # Of two messages of one customer the newer one is held back, whatever else the job brings.
        ~IS_HELD_BACK,
    )
    .values(
        dispatch=Dispatch.SENDING,
        claims=Message.claims + 1,
        lease_until=bindparam("until"),
        error=None,
        error_code=None,
    )
    .returning(
        Message.id, Message.customer_id, Message.content, Message.template, Message.priority,
        Message.request_id, Message.claims, Message.gateway_attempt, Message.ack,
        Message.whatsapp_id, Message.status.label("status"), Message.error,
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One worker's right to send one message until the lease runs out."""

    message_id: int
    customer_id: int
    number: int
    attempt: int
    order: SendOrder
    request_id: str
    taken_at: float
    """On this process's monotonic clock, and before the lease began."""


def claim_messages(message_ids: Sequence[int]) -> list[Claim]:
    """Take those that are due and that no open message of their customer holds back.

    In the order given. While the breaker is half open it is one at most, and none while it is open.
    """
    taken_at = time.monotonic()
    with transaction(shares_commit=True) as tx:
        customers = _lock_customers(tx, message_ids)
        moment = clock.now()
        open_until = circuit.open_until(tx.session)
        if not customers or (open_until and open_until > moment):
            return []
        rows = _take(tx, message_ids, moment, one=open_until is not None)
        if rows and not circuit.may_pass(tx.session, moment, count=len(rows)):
            tx.forget()
            return []
        for row in rows:
            announce(tx, row)
        return [_to_claim(row, customers[row.customer_id], taken_at) for row in rows]


def _lock_customers(tx: Transaction, message_ids: Sequence[int]) -> dict[int, str]:
    """Their addresses by id."""
    found = tx.connection.execute(_LOCK_CUSTOMERS, {"message_ids": message_ids})
    return {row.id: row.address for row in found}


def _take(tx: Transaction, message_ids: Sequence[int], moment: datetime, *, one: bool) -> list[Any]:
    until = moment + timedelta(seconds=current_app.config["SEND_LEASE"])
    for part in [[each] for each in message_ids] if one else [message_ids]:
        values = {"message_ids": part, "moment": moment, "until": until}
        rows = tx.connection.execute(_CLAIM, values).all()
        if rows:
            return sorted(rows, key=lambda row: message_ids.index(row.id))
    return []


def _to_claim(row: Any, address: str, taken_at: float) -> Claim:
    order = SendOrder(
        to=address,
        message=row.content,
        backend_message_id=row.id,
        attempt=row.gateway_attempt,
        template=row.template,
        bulk=row.priority == Priority.BULK,
    )
    return Claim(
        message_id=row.id,
        customer_id=row.customer_id,
        number=row.claims,
        attempt=row.gateway_attempt,
        order=order,
        request_id=row.request_id or "",
        taken_at=taken_at,
    )
