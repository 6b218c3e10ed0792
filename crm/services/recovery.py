"""The sweep: reads what the rows say must happen next, and makes it happen again.

It is idempotent and needs no memory, so it may run twice at once, late, or never for a while.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from crm import clock, jobs
from crm.models import Dispatch, Erasure, Message, WorkerHeartbeat
from crm.services import circuit
from crm.services.receipts import announce
from crm.services.settlement import give_up, requeue
from crm.services.turns import IS_HELD_BACK
from crm.transaction import Transaction, transaction

BATCH = 500
"""Rows of one kind that one sweep takes on."""
ENOUGH_JOBS = 200
"""Jobs that keep the workers busy until the next sweep."""
HINT_AGAIN_AFTER = timedelta(seconds=5)
"""How long a job may be on its way before it counts as lost."""
ASK_AGAIN_AFTER = timedelta(minutes=1)
GIVE_UP_WAITING_AFTER = timedelta(hours=24)
MAX_LOST_LEASES = 8


def sweep(*, jobs_waiting: int = 0) -> None:
    """Bring every message, and every erasure, that is overdue one step on.

    `jobs_waiting`: jobs that no worker has taken yet. Behind many of them a job that is late is
    not lost, and sending it again would only make them more.
    """
    with transaction() as tx:
        moment = clock.now()
        release_expired_leases(tx, moment)
        give_up_waiting(tx, moment)
        hint_due_messages(tx, moment, room=ENOUGH_JOBS - jobs_waiting)
        ask_about_accepted(tx, moment)
        hint_erasures(tx, moment)
        explain_waiting(tx)


def release_expired_leases(tx: Transaction, moment: datetime) -> None:
    """Back into the queue what a worker took and never settled; it may have been written."""
    for message in _lock_messages(
        tx.session, Message.dispatch == Dispatch.SENDING, Message.lease_until < moment
    ):
        message.maybe_written = True
        message.lost_leases += 1
        if message.lost_leases > MAX_LOST_LEASES:
            give_up(tx, message, code="poison", reason="Every worker that tried to send it died.")
            continue
        requeue(message, due_at=moment)
        message.error, message.error_code = "The worker that was sending it died.", "lost_lease"
        announce(tx, message)


def give_up_waiting(tx: Transaction, moment: datetime) -> None:
    """A message that waited a whole day for the gateway is told to the agent."""
    for message in _lock_messages(
        tx.session,
        Message.dispatch == Dispatch.QUEUED,
        Message.queued_at < moment - GIVE_UP_WAITING_AFTER,
    ):
        reason = message.error or "It could not be sent for 24 hours."
        give_up(tx, message, code="expired", reason=reason)


def hint_due_messages(tx: Transaction, moment: datetime, *, room: int) -> None:
    """Send a job for each due message at the head of its customer's queue.

    For one that has none, however many others wait: nothing else makes it, and a reply that is to
    be tried again in a second must not wait for all bulk. For one whose job is late, while there
    is `room` in the queue.
    """
    if circuit.is_open(tx.session, moment):
        return
    most = ENOUGH_JOBS if circuit.open_reason(tx.session) is None else 1  # half open: one
    sent = _hint(tx, moment, Message.hinted_at.is_(None), limit=most)
    left = min(room, most) - sent
    if left > 0:
        _hint(tx, moment, Message.hinted_at < moment - HINT_AGAIN_AFTER, limit=left)


def _hint(tx: Transaction, moment: datetime, which: ColumnElement[bool], *, limit: int) -> int:
    """Send the jobs of so many of these, replies first; how many there were."""
    found = _lock_messages(
        tx.session,
        Message.dispatch == Dispatch.QUEUED,
        Message.due_at <= moment,
        which,
        ~IS_HELD_BACK,
        limit=limit,
    )
    for message in found:
        message.hinted_at = moment
        # Alone: one whose job or whose worker died may be what they died of.
        tx.enqueue(jobs.deliver_message(message.id, priority=message.priority, alone=True))
    return len(found)


def ask_about_accepted(tx: Transaction, moment: datetime) -> None:
    """Send a job for each accepted message that has had no WhatsApp id for too long."""
    for message in _lock_messages(
        tx.session, Message.dispatch == Dispatch.ACCEPTED, Message.due_at <= moment
    ):
        message.due_at = moment + ASK_AGAIN_AFTER
        tx.enqueue(jobs.check_accepted(message.id))


def hint_erasures(tx: Transaction, moment: datetime) -> None:
    """Send a job for each erasure that the gateway has not confirmed."""
    for erasure in tx.session.scalars(select(Erasure).where(Erasure.due_at <= moment).limit(BATCH)):
        erasure.due_at = moment + ASK_AGAIN_AFTER
        tx.enqueue(jobs.erase_at_gateway(erasure.id))


def explain_waiting(tx: Transaction) -> None:
    """While the breaker is open, show each waiting message's agent why it waits."""
    reason = circuit.open_reason(tx.session)
    if reason is None:
        return
    for message in _lock_messages(
        tx.session, Message.dispatch == Dispatch.QUEUED, Message.error.is_(None)
    ):
        message.error, message.error_code = reason, "gateway_away"
        announce(tx, message)


def record_heartbeat(name: str) -> None:
    """Write down that a worker of this name is at work."""
    with transaction() as tx:
        tx.session.merge(WorkerHeartbeat(name=name, beat_at=clock.now()))


def _lock_messages(
    session: Session, *conditions: ColumnElement[bool], limit: int = BATCH
) -> Sequence[Message]:
    """Rows that no other transaction holds; what is held now is met at the next sweep."""
    return session.scalars(
        select(Message)
        .where(*conditions)
        .order_by(Message.priority, Message.due_at, Message.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
