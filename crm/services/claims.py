"""A worker's right to send a message: one conditional UPDATE, fenced by its number.

A result that comes after the lease ran out carries an old number, and is seen for what it is.
"""

from dataclasses import dataclass
from datetime import timedelta

from flask import current_app
from sqlalchemy import bindparam, select, update

from crm import clock
from crm.gateway_client import SendOrder
from crm.models import Customer, Dispatch, Message, Priority
from crm.services import circuit
from crm.services.receipts import announce
from crm.services.turns import IS_HELD_BACK
from crm.transaction import transaction

_OWNER = select(Message.customer_id).where(Message.id == bindparam("claimed_id"))
_LOCK_CUSTOMER = (
    select(Customer).where(Customer.id == _OWNER.scalar_subquery()).with_for_update(key_share=True)
)
_CLAIM = (
    update(Message)
    .where(
        Message.id == bindparam("claimed_id"),
        Message.dispatch == Dispatch.QUEUED,
        Message.due_at <= bindparam("moment"),
        ~IS_HELD_BACK,
    )
    .values(
        dispatch=Dispatch.SENDING,
        claims=Message.claims + 1,
        lease_until=bindparam("until"),
        error=None,
        error_code=None,
    )
    .returning(Message)
    .execution_options(synchronize_session=False, populate_existing=True)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One worker's right to send one message until the lease runs out."""

    message_id: int
    number: int
    attempt: int
    order: SendOrder
    request_id: str


def claim_message(message_id: int) -> Claim | None:
    """Take a due message that no open one of its customer holds back; else None."""
    with transaction(shares_commit=True) as tx:
        customer = tx.session.scalar(_LOCK_CUSTOMER, {"claimed_id": message_id})
        moment = clock.now()
        if customer is None or circuit.is_open(tx.session, moment):
            return None
        until = moment + timedelta(seconds=current_app.config["SEND_LEASE"])
        values = {"claimed_id": message_id, "moment": moment, "until": until}
        message = tx.session.scalar(_CLAIM, values)
        if message is None:
            return None
        if not circuit.may_pass(tx.session, moment):
            tx.forget()
            return None
        announce(tx, message)
        return Claim(
            message_id=message.id,
            number=message.claims,
            attempt=message.gateway_attempt,
            order=SendOrder(
                to=customer.address,
                message=message.content,
                backend_message_id=message.id,
                attempt=message.gateway_attempt,
                template=message.template,
                bulk=message.priority == Priority.BULK,
            ),
            request_id=message.request_id or "",
        )
