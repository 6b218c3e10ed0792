"""Figures: the API document's totals, and those that say whether all is well."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, String, bindparam, func, select, text

from crm import clock
from crm.extensions import db
from crm.models import Counter, CounterName, Customer, Dispatch, GatewayLink, Message
from crm.models.message import OPEN
from crm.models.worker_heartbeat import WorkerHeartbeat

ACTIVE_FOR = timedelta(days=30)
COUNTED = (*OPEN, Dispatch.ACCEPTED, Dispatch.FAILED, Dispatch.UNKNOWN, Dispatch.CANCELLED)
"""What went out is not: that is most of the table, and `messages_sent` says how many."""
LOOKED_AT = 500
"""Rows of a backlog whose times are read; only as many retried ones before it would hide one."""
NEVER = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What the API document asks for."""

    sent: int
    received: int
    failed: int
    active_customers: int
    counters: dict[str, int]
    """Every row of `counters`, the buckets of the histograms among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What an operator watches. Ages are seconds, infinite where it never happened."""

    by_dispatch: dict[str, int]
    oldest_unsent: float
    oldest_accepted: float
    worker_age: float
    gateway_status: Mapping[str, Any]
    gateway_age: float


def read_totals() -> Totals:
    """The totals, from two statements."""
    counters = dict(db.session.execute(select(Counter.name, Counter.value)).all())
    return Totals(
        sent=counters.get(CounterName.MESSAGES_SENT, 0),
        received=counters.get(CounterName.MESSAGES_RECEIVED, 0),
        failed=counters.get(CounterName.MESSAGES_FAILED, 0),
        active_customers=_active_customers(),
        counters={str(name): value for name, value in counters.items()},
    )


def read_figures() -> Figures:
    """Every figure in a few statements, each of them on an index."""
    status, checked_at = read_gateway_status()
    return Figures(
        by_dispatch=_by_dispatch(),
        oldest_unsent=_oldest(Message.queued_at, OPEN),
        oldest_accepted=_oldest(Message.accepted_at, (Dispatch.ACCEPTED,)),
        worker_age=_age(newest_heartbeat()),
        gateway_status=status or {},
        gateway_age=_age(checked_at),
    )


def read_gateway_status() -> tuple[dict[str, Any] | None, datetime | None]:
    """The gateway's status as last heard, and when that was."""
    row = db.session.execute(select(GatewayLink.status, GatewayLink.checked_at)).one_or_none()
    return (row.status, row.checked_at) if row else (None, None)


def newest_heartbeat() -> datetime | None:
    """When any worker last showed that it is at work."""
    return db.session.scalar(select(func.max(WorkerHeartbeat.beat_at)))


def ping_database() -> None:
    """Raises what the database raises where it cannot be used."""
    db.session.execute(text("SELECT 1"))


def _active_customers() -> int:
    """Those with a message: all who are recent, less those who are so by their creation alone.

    Both are counted in an index; to look at `last_timestamp` would read every row.
    """
    recent = Customer.active_at >= clock.now() - ACTIVE_FOR
    count = select(func.count()).select_from(Customer).where(recent)
    silent = count.where(Customer.last_timestamp.is_(None))
    both = select(count.scalar_subquery() - silent.scalar_subquery())
    return db.session.scalar(both) or 0


def _by_dispatch() -> dict[str, int]:
    counts = {str(dispatch): 0 for dispatch in COUNTED}
    for dispatch, count in db.session.execute(
        select(Message.dispatch, func.count()).where(_in_states(COUNTED)).group_by(Message.dispatch)
    ):
        counts[str(dispatch)] = count
    return counts


def _oldest(moment: Any, states: Sequence[Dispatch]) -> float:
    """Age of the oldest in these states, looked for among those that were written first."""
    # `+ 0`: or else the whole table would be walked in the order of its ids.
    first = select(Message.id).where(_in_states(states)).order_by(Message.id + 0).limit(LOOKED_AT)
    oldest = db.session.scalar(select(func.min(moment)).where(Message.id.in_(first)))
    return _age(oldest) if oldest else 0.0


def _in_states(states: Sequence[Dispatch]) -> ColumnElement[bool]:
    """Written into the statement: with parameters no database would know how few rows they are."""
    return Message.dispatch.in_(
        bindparam(None, list(states), expanding=True, literal_execute=True, type_=String)
    )


def _age(moment: datetime | None) -> float:
    return max(0.0, (clock.now() - moment).total_seconds()) if moment else NEVER
