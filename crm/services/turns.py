"""Whose turn it is: per customer one message is in flight, in the order they were written."""

from sqlalchemy import ColumnElement, Exists, exists, or_, select
from sqlalchemy.orm import aliased

from crm import clock, jobs
from crm.models import Dispatch, Message
from crm.models.message import OPEN
from crm.transaction import Transaction


def is_held_back() -> Exists:
    """SQL: another open message of the customer goes before this one, or is being sent."""
    other = aliased(Message)
    return exists().where(
        other.customer_id == Message.customer_id,
        other.id != Message.id,
        other.dispatch.in_(OPEN),
        or_(other.id < Message.id, other.dispatch == Dispatch.SENDING),
    )


def hint_if_first(tx: Transaction, message: Message) -> None:
    """Send a job for a message just queued, unless it has to wait for an older one anyway."""
    _hint(tx, Message.id == message.id, ~is_held_back())


def hint_next(tx: Transaction, customer_id: int) -> None:
    """Send a job for the oldest queued message of a customer, now that nothing is before it."""
    _hint(tx, Message.customer_id == customer_id, ~is_held_back())


def _hint(tx: Transaction, *conditions: ColumnElement[bool]) -> None:
    moment = clock.now()
    # One that still waits for its next try is the sweep's; a job too early would only hold it up.
    first = tx.session.scalar(
        select(Message).where(
            Message.dispatch == Dispatch.QUEUED, Message.due_at <= moment, *conditions
        )
    )
    if first is not None:
        first.hinted_at = moment
        tx.enqueue(jobs.deliver_message(first.id))
