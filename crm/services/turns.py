"""Whose turn it is: per customer one message is in flight, in the order they were written.

The statements are built once: building them costs more than running them.
"""

from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    exists,
    literal,
    literal_column,
    or_,
    select,
)
from sqlalchemy.orm import aliased

from crm import clock, jobs
from crm.models import Dispatch, Message
from crm.models.message import OPEN
from crm.prepared import Prepared
from crm.transaction import Transaction

# Written into the SQL: for values that are bound SQLite passes over the index of open messages, and
# reads the whole chat instead, under the write lock.
_open: list[ColumnElement[str]] = [literal_column(f"'{state}'") for state in OPEN]
_other = aliased(Message)
IS_HELD_BACK = exists().where(
    _other.customer_id == Message.customer_id,
    _other.id != Message.id,
    _other.dispatch.in_(_open),
    or_(_other.id < Message.id, _other.dispatch == Dispatch.SENDING),
)
"""SQL: another open message of the customer goes before this one, or is being sent."""

_any_open = Prepared(
    select(literal(1))
    .where(Message.customer_id == bindparam("customer_id"), Message.dispatch.in_(_open))
    .limit(1)
)
_next = select(Message).where(
    Message.customer_id == bindparam("customer_id"),
    Message.dispatch == Dispatch.QUEUED,
    # What waits for its next try is the sweep's: a job too early would only hold it up.
    Message.due_at <= bindparam("moment"),
    ~IS_HELD_BACK,
)


def has_open_message(connection: Connection, customer_id: int) -> bool:
    """Whether a new message of this customer would have to wait for an older one."""
    return _any_open.first(connection, {"customer_id": customer_id}) is not None


def hint_next(tx: Transaction, customer_id: int) -> None:
    """Send a job for the oldest queued message of a customer, if nothing is before it."""
    moment = clock.now()
    first = tx.session.scalar(_next, {"customer_id": customer_id, "moment": moment})
    if first is not None:
        first.hinted_at = moment
        tx.enqueue(jobs.deliver_message(first.id, priority=first.priority))
