"""How a try to send ended, written down: accepted, to be tried again, or given up."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from flask import current_app
from sqlalchemy import bindparam, or_, select, update

from crm import clock
from crm.errors import NotFoundError
from crm.gateway_errors import GatewayRefusedError, GatewayTemporaryError, GatewayUnreachableError
from crm.models import CounterName, Customer, Dispatch, Message
from crm.models.message import may_become
from crm.services import circuit
from crm.services.claims import Claim
from crm.services.receipts import announce, lock_outbound_message
from crm.services.turns import hint_next
from crm.transaction import Transaction, transaction

log = structlog.get_logger(__name__)

MAX_RETRIES = 3
"""After the first try, as the API document says."""
ASK_AFTER = timedelta(minutes=2)
"""How long an accepted message may stay without a WhatsApp id before the gateway is asked."""
_LOCK_CUSTOMERS = (
    select(Customer.id)
    .where(Customer.id.in_(bindparam("customer_ids", expanding=True)))
    # In one order, or two batches that share customers would wait for each other.
    .order_by(Customer.id)
    .with_for_update(key_share=True)
)
_ACCEPT = (
    update(Message)
    .where(
        Message.id.in_(bindparam("message_ids", expanding=True)),
        Message.gateway_attempt == bindparam("attempt"),
        or_(*(Message.dispatch == state for state in may_become(Dispatch.ACCEPTED))),
    )
    .values(
        dispatch=Dispatch.ACCEPTED,
        accepted_at=bindparam("moment"),
        due_at=bindparam("ask_at"),
        attempts=Message.attempts + 1,
        lease_until=None,
        error=None,
        error_code=None,
    )
    .returning(
        Message.id, Message.customer_id, Message.ack, Message.whatsapp_id,
        Message.status.label("status"), Message.error,
    )
)  # fmt: skip


def settle_accepted(claims: Sequence[Claim]) -> dict[int, str]:
    """The gateway has these. Believed even after the lease ran out: a fact of this attempt.

    Returns each message's outcome.
    """
    outcomes = {claim.message_id: "settled_elsewhere" for claim in claims}
    with transaction(shares_commit=True) as tx:
        _lock_customers(tx, {claim.customer_id for claim in claims})
        rows = _accept(tx, claims)
        for row in rows:
            outcomes[row.id] = "accepted"
            announce(tx, row)
        if rows:
            hint_next(tx, *(row.customer_id for row in rows))
        circuit.note_answer(tx.session)
    return outcomes


def _accept(tx: Transaction, claims: Sequence[Claim]) -> list[Any]:
    rows: list[Any] = []
    moment = clock.now()
    for attempt in sorted({claim.attempt for claim in claims}):
        values = {
            "message_ids": [claim.message_id for claim in claims if claim.attempt == attempt],
            "attempt": attempt,
            "moment": moment,
            "ask_at": moment + ASK_AFTER,
        }
        rows += tx.connection.execute(_ACCEPT, values)
    return sorted(rows, key=lambda row: int(row.id))


def _lock_customers(tx: Transaction, customer_ids: set[int]) -> None:
    if tx.session.get_bind().dialect.name == "postgresql":
        # On SQLite this transaction is the only writer anyway.
        tx.connection.execute(_LOCK_CUSTOMERS, {"customer_ids": sorted(customer_ids)})


def settle_unreachable(claim: Claim, error: GatewayUnreachableError) -> str:
    """Nothing was handed over, so this was no try: wait, and say why."""
    with transaction(shares_commit=True) as tx:
        message = _lock_claimed(tx, claim)
        circuit.note_refusal(tx.session, clock.now(), error.reason)
        if message is None:
            return "settled_elsewhere"
        requeue(message, due_at=_after(_jitter(circuit.PROBE_EVERY.total_seconds() / 2)))
        message.error, message.error_code = error.reason, error.code
        announce(tx, message)
    return "gateway_away"


def settle_not_begun(claim: Claim) -> str:
    """The call would have come too late to be safe, so there was none: back into the queue."""
    with transaction(shares_commit=True) as tx:
        message = _lock_claimed(tx, claim)
        if message is None:
            return "settled_elsewhere"
        requeue(message, due_at=clock.now())
        announce(tx, message)
    return "not_begun"


def settle_failure(claim: Claim, error: GatewayTemporaryError) -> str:
    """A try that failed and may be repeated, at most `MAX_RETRIES` times."""
    with transaction(shares_commit=True) as tx:
        message = _lock_claimed(tx, claim)
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
    with transaction(shares_commit=True) as tx:
        message = _lock_claimed(tx, claim)
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


def _lock_claimed(tx: Transaction, claim: Claim) -> Message | None:
    """The claimed message if nobody settled it or claimed it again meanwhile, else None."""
    try:
        message = lock_outbound_message(tx.session, claim.message_id)
    except NotFoundError:
        return None
    known = message.dispatch, message.claims, message.gateway_attempt
    return message if known == (Dispatch.SENDING, claim.number, claim.attempt) else None
