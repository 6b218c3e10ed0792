"""What becomes of a message after the gateway took it: asked for, or told by it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import select

from crm import clock
from crm.errors import MappingConflictError
from crm.extensions import db
from crm.gateway_client import gateway
from crm.gateway_errors import GatewayError
from crm.models import CounterName, Dispatch, Message
from crm.models.message import may_become
from crm.services.receipts import hold_whatsapp_id, lock_outbound_message, pair
from crm.services.settlement import close, give_up
from crm.transaction import Transaction, transaction

DELIVERED_ACK = 2
GIVE_UP_ASKING_AFTER = timedelta(minutes=15)

log = structlog.get_logger(__name__)


def check_accepted(message_id: int) -> str:
    """Ask the gateway about an accepted message that nothing more was heard of."""
    dispatch = db.session.scalar(select(Message.dispatch).where(Message.id == message_id))
    db.session.rollback()  # no transaction stays open across HTTP
    if dispatch != Dispatch.ACCEPTED:
        return "settled_elsewhere"
    told = ask_gateway(message_id)
    try:
        return str(learn_outcome(message_id, told).dispatch)
    except MappingConflictError as error:
        # Its word contradicts what others proved, so it is worth no more than silence.
        log.warning("gateway_contradicts", message_id=message_id, reason=error.detail)
        return str(learn_outcome(message_id, {}).dispatch)


def ask_gateway(message_id: int) -> dict[str, Any]:
    """The gateway's word on a message; empty where it cannot or does not say."""
    try:
        return gateway.find_message(message_id) or {}
    except GatewayError as error:
        log.info("gateway_does_not_say", message_id=message_id, code=error.code)
        return {}


def learn_outcome(message_id: int, told: dict[str, Any]) -> Message:
    """Write down what the gateway said; silence for too long makes a message `unknown`."""
    whatsapp_id, state = _text(told, "whatsapp_id", 255), _text(told, "state")
    with transaction() as tx:
        # A failed attempt may have had an id: WhatsApp took it, and then gave up on it.
        if whatsapp_id and state != "failed":
            hold_whatsapp_id(tx.session, whatsapp_id)
            message = lock_outbound_message(tx.session, message_id)
            pair(tx, message, whatsapp_id)
            return message
        message = lock_outbound_message(tx.session, message_id)
        waited_too_long = (
            message.accepted_at is not None
            and message.accepted_at < clock.now() - GIVE_UP_ASKING_AFTER
        )
        if state == "failed" and _is_of_this_attempt(told, message):
            fail(tx, message, code=_text(told, "code"), reason=_text(told, "reason"))
        elif message.dispatch == Dispatch.ACCEPTED and (
            state == "unknown" or (waited_too_long and state not in {"queued", "sending"})
        ):
            message.maybe_written = True
            give_up(tx, message, code="no_word", reason="The gateway took it and said no more.")
        return message


def _is_of_this_attempt(told: dict[str, Any], message: Message) -> bool:
    """Whether the gateway speaks of the newest attempt, or does not say of which."""
    attempt = told.get("attempt")
    return not isinstance(attempt, int) or attempt >= message.gateway_attempt


def _text(told: dict[str, Any], name: str, longest: int = 1000) -> str:
    """A gateway's word, or "" where it is none that can be kept."""
    value = told.get(name)
    return value if isinstance(value, str) and len(value) <= longest else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The gateway's word that a message did not arrive. `whatsapp_id`: WhatsApp took it first."""

    code: str
    reason: str | None
    attempt: int | None
    whatsapp_id: str | None = None


def report_failed(message_id: int, failure: Failure) -> Message:
    """The gateway could not send what it had accepted, or WhatsApp gave up on what it took.

    What is proved delivered stays as it is, and so does what is mapped to another id.
    """
    with transaction() as tx:
        message = lock_outbound_message(tx.session, message_id)
        if failure.attempt is not None and failure.attempt < message.gateway_attempt:
            return message
        if failure.whatsapp_id and message.dispatch == Dispatch.MAPPED:
            _unmap(message, failure.whatsapp_id)
        fail(tx, message, code=failure.code, reason=failure.reason)
        return message


def _unmap(message: Message, whatsapp_id: str) -> None:
    """Let a message fail that WhatsApp had taken: accepted again, so that FAILED may follow."""
    if message.whatsapp_id == whatsapp_id and message.ack < DELIVERED_ACK:
        message.dispatch = Dispatch.ACCEPTED


def fail(tx: Transaction, message: Message, *, code: str, reason: str | None) -> None:
    """Definitely not sent, by the gateway's own word."""
    if message.dispatch not in may_become(Dispatch.FAILED):
        return
    if message.dispatch != Dispatch.UNKNOWN:  # counted when it was given up
        tx.count(CounterName.MESSAGES_FAILED)
    message.dispatch = Dispatch.FAILED
    message.maybe_written = False
    message.due_at = None
    shown = (reason or "The gateway could not send it.")[:300]
    log.error("message_failed", message_id=message.id, customer_id=message.customer_id, code=code)
    close(tx, message, code=code[:64], reason=shown)
