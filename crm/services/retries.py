"""An agent's second word on a message: send it again, all of them, or not at all."""

from sqlalchemy import select

from crm import clock
from crm.errors import MessageStateError
from crm.extensions import db
from crm.models import Direction, Dispatch, Message
from crm.services.outcomes import ask_gateway, learn_outcome
from crm.services.receipts import announce, lock_outbound_message
from crm.services.settlement import close
from crm.services.turns import hint_next
from crm.transaction import Transaction, transaction

BATCH = 200


def retry_message(message_id: int, *, confirm: bool) -> Message:
    """Send a failed message again, with a raised attempt.

    An unknown one is looked up at the gateway first; if that does not settle it, it may arrive
    twice, so it is sent again only with `confirm`. Raises `MessageStateError`.
    """
    if _dispatch_of(message_id) == Dispatch.UNKNOWN:
        told = ask_gateway(message_id)
        message = learn_outcome(message_id, told)
        if message.dispatch == Dispatch.MAPPED:
            return message
    with transaction() as tx:
        message = lock_outbound_message(tx.session, message_id)
        if message.dispatch not in {Dispatch.FAILED, Dispatch.UNKNOWN}:
            raise MessageStateError(
                f"Only a failed or unknown message can be sent again; this one is {message.status}."
            )
        if message.dispatch == Dispatch.UNKNOWN and not confirm:
            raise MessageStateError(
                "This message may have gone out already and could arrive twice; "
                'to send it again all the same, repeat with {"confirm": true}, or with --confirm.'
            )
        queue_again(tx, message)
        tx.session.flush()
        hint_next(tx, message.customer_id)
        return message


def retry_failed() -> int:
    """Send every failed message again, oldest first; returns how many there were."""
    retried, last_id = 0, 0
    while True:
        with transaction() as tx:
            batch = tx.session.scalars(
                select(Message)
                .where(Message.dispatch == Dispatch.FAILED, Message.id > last_id)
                .order_by(Message.id)
                .limit(BATCH)
                .with_for_update(skip_locked=True)
            ).all()
            for message in batch:
                queue_again(tx, message)
            tx.session.flush()
            for customer_id in {message.customer_id for message in batch}:
                hint_next(tx, customer_id)
        if not batch:
            return retried
        retried, last_id = retried + len(batch), batch[-1].id


def cancel_message(message_id: int) -> Message:
    """Take back a message that nobody has begun to send. Raises `MessageStateError`."""
    with transaction() as tx:
        message = lock_outbound_message(tx.session, message_id)
        if message.dispatch == Dispatch.CANCELLED:
            return message
        if message.dispatch != Dispatch.QUEUED or message.maybe_written:
            raise MessageStateError(
                f"Only a message that still waits can be cancelled; this one is {message.status}"
                + (" and may have gone out." if message.maybe_written else ".")
            )
        message.dispatch = Dispatch.CANCELLED
        message.due_at = None
        close(tx, message)
        return message


def queue_again(tx: Transaction, message: Message) -> None:
    """From failed or unknown back into the queue, as a new attempt; the caller sends its job."""
    moment = clock.now()
    message.dispatch = Dispatch.QUEUED
    message.gateway_attempt += 1
    message.whatsapp_id = None  # of one that WhatsApp took and gave up on; this try gets its own
    message.failures = message.lost_leases = 0
    message.error = message.error_code = message.accepted_at = None
    message.queued_at = message.due_at = moment
    message.hinted_at = None
    announce(tx, message)


def _dispatch_of(message_id: int) -> str | None:
    dispatch = db.session.scalar(
        select(Message.dispatch).where(
            Message.id == message_id, Message.direction == Direction.OUTBOUND
        )
    )
    db.session.rollback()  # no transaction stays open across HTTP
    return dispatch
