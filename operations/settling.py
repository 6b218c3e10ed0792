"""What a restored pair of databases must forget and must never repeat, before anything starts."""

import secrets
import time

from sqlalchemy import Connection, delete, func, null, select, update

from crm.models import Counter, CounterName, Dispatch, Event, GatewayLink, Message, WorkerHeartbeat
from crm.models.message import OPEN
from gateway.store.sends import OPEN as OPEN_SENDS
from gateway.store.tables import SendState, sends
from operations.sequences import highest_id, set_highest_id
from operations.stores import Store

HEADROOM = 1_000_000
"""Ids left free: what was stored after the backup had some of them, and gateway, WhatsApp and
browsers may remember those."""
REASON = "It was on its way when the backup was made, and may have gone out since."
NUMBERED = ("customers", "messages", "events", "erasures")


def settle_backend(store: Store, *, resume: bool) -> None:
    """Doubt what was on its way, number on beyond what may be known, and have browsers reset."""
    with store.engine.begin() as connection:
        if not resume:
            doubtful = update(Message).where(Message.dispatch.in_(OPEN))
            connection.execute(
                doubtful.values(
                    dispatch=Dispatch.UNKNOWN, maybe_written=True, due_at=None, lease_until=None,
                    error=REASON, error_code="restored",
                )
            )  # fmt: skip
        for table in NUMBERED:
            set_highest_id(connection, table, highest_id(connection, table) + HEADROOM)
        _forget_events(connection)
        connection.execute(delete(WorkerHeartbeat))
        connection.execute(
            update(GatewayLink).values(refusals=0, open_until=None, reason=None, status=null(),
                                       checked_at=None)
        )  # fmt: skip
        # Lists in browsers' caches are of the database that this one replaces.
        _set_counter(connection, CounterName.DATABASE_ID, secrets.randbits(40))


def settle_gateway(store: Store, *, resume: bool) -> None:
    """What waited to be sent is not sent by a restore."""
    if resume:
        return
    with store.engine.begin() as connection:
        connection.execute(
            update(sends)
            .where(sends.c.state.in_(OPEN_SENDS))
            .values(
                state=SendState.UNKNOWN, text="", template=None, settled_at=time.time(),
                code="restored", reason=REASON,
            )
        )  # fmt: skip


def _forget_events(connection: Connection) -> None:
    """Keep the newest under a number that no browser has seen: every stream is told to reset."""
    newest = connection.scalar(select(func.max(Event.id)))
    if newest is None:
        return
    number = newest + HEADROOM
    connection.execute(delete(Event).where(Event.id < newest))
    connection.execute(update(Event).values(id=number))
    _set_counter(connection, CounterName.EVENTS_PRUNED_TO, number)
    set_highest_id(connection, "events", number)


def _set_counter(connection: Connection, name: CounterName, value: int) -> None:
    connection.execute(update(Counter).where(Counter.name == name).values(value=value))
