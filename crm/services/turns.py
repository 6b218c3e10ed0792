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
    update,
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
_HINT_NEXT = (
    update(Message)
    .where(
        Message.customer_id.in_(bindparam("customer_ids", expanding=True)),
        Message.dispatch.in_(_open),  # or SQLite would read the whole chat
        Message.dispatch == Dispatch.QUEUED,
        # What waits for its next try is the sweep's: a job too early would only hold it up.
        Message.due_at <= bindparam("moment"),
        ~IS_HELD_BACK,
    )
    .values(hinted_at=bindparam("moment"))
    .returning(Message.id, Message.priority)
)


def has_open_message(connection: Connection, customer_id: int) -> bool:
    """Whether a new message of this customer would have to wait for an older one."""
    return _any_open.first(connection, {"customer_id": customer_id}) is not None


def hint_next(tx: Transaction, *customer_ids: int) -> None:
    """Send a job for the oldest queued message of each customer, if nothing is before it."""
    tx.session.flush()  # the connection itself does not know of rows that changed as objects
    values = {"customer_ids": customer_ids, "moment": clock.now()}
    for message_id, priority in sorted(tx.connection.execute(_HINT_NEXT, values)):
        tx.enqueue(jobs.deliver_message(message_id, priority=priority))
