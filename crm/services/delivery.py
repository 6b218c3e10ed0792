"""Handing queued messages to the gateway: claim, call, settle.

Three steps, two transactions, and none open while the gateway is called. The claim is one
conditional UPDATE; its number fences off results that come after the lease ran out.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from flask import current_app
from sqlalchemy import bindparam, select, update

from crm import clock
from crm.errors import NotFoundError
from crm.gateway_client import (
    GatewayRefusedError,
    GatewayTemporaryError,
    GatewayUnreachableError,
    gateway,
)
from crm.models import CounterName, Customer, Dispatch, Message
from crm.models.message import may_become
from crm.services import circuit
from crm.services.receipts import announce, lock_outbound_message
from crm.services.turns import IS_HELD_BACK, hint_next
from crm.transaction import Transaction, transaction

log = structlog.get_logger(__name__)

MAX_RETRIES = 3
"""After the first try, as the API document says."""
ASK_AFTER = timedelta(minutes=2)
"""How long an accepted message may stay without a WhatsApp id before the gateway is asked."""


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
    to: str
    text: str
    request_id: str


def deliver_message(message_id: int) -> str:
    """Claim a message, hand it to the gateway, and write down how that went.

    Returns the outcome's name for the log. Every outcome is stored, so none is raised.
    """
    claim = claim_message(message_id)
    if claim is None:
        return "not_due"
    structlog.contextvars.bind_contextvars(request_id=claim.request_id)
    try:
        gateway.send(
            to=claim.to,
            message=claim.text,
            backend_message_id=claim.message_id,
            attempt=claim.attempt,
            request_id=claim.request_id,
        )
    except GatewayUnreachableError as error:
        return settle_unreachable(claim, error)
    except GatewayTemporaryError as error:
        return settle_failure(claim, error)
    except GatewayRefusedError as error:
        return settle_refusal(claim, error)
    return settle_accepted(claim)


def claim_message(message_id: int) -> Claim | None:
    """Take a due message that no open one of its customer holds back; else None."""
    with transaction() as tx:
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
            to=customer.address,
            text=message.content,
            request_id=message.request_id or "",
        )


def settle_accepted(claim: Claim) -> str:
    """The gateway has it. Believed even after the lease ran out: it is a fact of this attempt."""
    with transaction() as tx:
        message = _lock_claimed(tx, claim, may_become(Dispatch.ACCEPTED), fenced=False)
        circuit.note_answer(tx.session)
        if message is None:
            return "settled_elsewhere"
        moment = clock.now()
        message.dispatch = Dispatch.ACCEPTED
        message.accepted_at, message.due_at = moment, moment + ASK_AFTER
        message.attempts += 1
        close(tx, message)
    return "accepted"


def settle_unreachable(claim: Claim, error: GatewayUnreachableError) -> str:
    """Nothing was handed over, so this was no try: wait, and say why."""
    with transaction() as tx:
        message = _lock_claimed(tx, claim, [Dispatch.SENDING])
        circuit.note_refusal(tx.session, clock.now(), error.reason)
        if message is None:
            return "settled_elsewhere"
        requeue(message, due_at=_after(_jitter(circuit.PROBE_EVERY.total_seconds() / 2)))
        message.error, message.error_code = error.reason, error.code
        announce(tx, message)
    return "gateway_away"


def settle_failure(claim: Claim, error: GatewayTemporaryError) -> str:
    """A try that failed and may be repeated, at most `MAX_RETRIES` times."""
    with transaction() as tx:
        message = _lock_claimed(tx, claim, [Dispatch.SENDING])
        _note_health(tx, error)
        if message is None:
            return "settled_elsewhere"
        message.maybe_written = message.maybe_written or error.maybe_written
        message.failures += 1
        message.attempts += 1
        if message.failures <= MAX_RETRIES:
            delay = retry_delay(message.failures, current_app.config["SEND_RETRY_BASE"])
            requeue(message, due_at=_after(max(delay, error.retry_after)))
            message.error, message.error_code = error.reason, error.code
            announce(tx, message)
            return "will_retry"
        give_up(tx, message, code=error.code, reason=error.reason)
    return str(message.dispatch)


def settle_refusal(claim: Claim, error: GatewayRefusedError) -> str:
    """The gateway says that this can never be sent."""
    with transaction() as tx:
        message = _lock_claimed(tx, claim, [Dispatch.SENDING])
        circuit.note_answer(tx.session)
        if message is None:
            return "settled_elsewhere"
        message.failures += 1
        message.attempts += 1
        give_up(tx, message, code=error.code, reason=error.reason)
    return str(message.dispatch)


def give_up(tx: Transaction, message: Message, *, code: str, reason: str) -> None:
    """No more tries: failed, or unknown where some try may have reached the gateway."""
    message.dispatch = Dispatch.UNKNOWN if message.maybe_written else Dispatch.FAILED
    message.due_at = None
    tx.count(CounterName.MESSAGES_FAILED)
    log.error(
        "message_given_up",
        message_id=message.id,
        customer_id=message.customer_id,
        dispatch=str(message.dispatch),
        code=code,
        attempts=message.attempts,
        request_id=message.request_id,
    )
    close(tx, message, code=code, reason=reason)


def close(
    tx: Transaction, message: Message, *, code: str | None = None, reason: str | None = None
) -> None:
    """A message is no longer in flight: tell the agent, and let the customer's next one go."""
    message.lease_until = None
    message.error, message.error_code = reason, code
    tx.session.flush()
    announce(tx, message)
    hint_next(tx, message.customer_id)


def requeue(message: Message, *, due_at: datetime) -> None:
    """Back into the queue; the sweep will send the job once it is due."""
    message.dispatch = Dispatch.QUEUED
    message.due_at = due_at
    message.hinted_at = message.lease_until = None


def retry_delay(failures: int, base: float) -> float:
    """Seconds before the next try: base, 2·base, 4·base …, each ±50 %, never 0."""
    return _jitter(base * 2 ** (failures - 1))


def _after(seconds: float) -> datetime:
    return clock.now() + timedelta(seconds=seconds)


def _jitter(seconds: float) -> float:
    return seconds * random.uniform(0.5, 1.5)


def _note_health(tx: Transaction, error: GatewayTemporaryError) -> None:
    # A stalled gateway would use up the tries of every waiting message at once; behind an open
    # breaker it costs those of the one that goes first.
    if error.code == "timeout":
        circuit.note_refusal(tx.session, clock.now(), error.reason)
    else:
        circuit.note_answer(tx.session)


def _lock_claimed(
    tx: Transaction, claim: Claim, states: list[Dispatch], *, fenced: bool = True
) -> Message | None:
    """The claimed message if it is still in one of these states, else None."""
    try:
        message = lock_outbound_message(tx.session, claim.message_id)
    except NotFoundError:
        return None
    late = fenced and message.claims != claim.number
    if late or message.dispatch not in states or message.gateway_attempt != claim.attempt:
        return None
    return message
