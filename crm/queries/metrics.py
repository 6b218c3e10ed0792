"""Figures: the API document's totals, and those that say whether all is well."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, text

from crm import clock
from crm.extensions import db
from crm.models import Counter, CounterName, Customer, Dispatch, GatewayLink, Message
from crm.models.worker_heartbeat import WorkerHeartbeat

ACTIVE_FOR = timedelta(days=30)
WAITING = (Dispatch.QUEUED, Dispatch.SENDING, Dispatch.ACCEPTED, Dispatch.FAILED, Dispatch.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All figures that the database knows."""

    sent: int
    received: int
    failed: int
    active_customers: int
    by_dispatch: dict[str, int]
    oldest_unsent_seconds: float
    gateway_ready: bool


def read_figures() -> Figures:
    """Every figure in a few statements, each of them on an index."""
    totals = dict(db.session.execute(select(Counter.name, Counter.value)).all())
    return Figures(
        sent=totals.get(CounterName.MESSAGES_SENT, 0),
        received=totals.get(CounterName.MESSAGES_RECEIVED, 0),
        failed=totals.get(CounterName.MESSAGES_FAILED, 0),
        active_customers=_active_customers(),
        by_dispatch=_by_dispatch(),
        oldest_unsent_seconds=_oldest_unsent(),
        gateway_ready=bool((read_gateway_status()[0] or {}).get("ready")),
    )


def read_gateway_status() -> tuple[dict[str, object] | None, datetime | None]:
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
    since = clock.now() - ACTIVE_FOR
    count = select(func.count()).select_from(Customer)
    recent = count.where(Customer.active_at >= since, Customer.last_timestamp >= since)
    return db.session.scalar(recent) or 0


def _by_dispatch() -> dict[str, int]:
    counts = {str(dispatch): 0 for dispatch in WAITING}
    for dispatch, count in db.session.execute(
        select(Message.dispatch, func.count())
        .where(Message.dispatch.in_(WAITING))
        .group_by(Message.dispatch)
    ):
        counts[str(dispatch)] = count
    return counts


def _oldest_unsent() -> float:
    oldest = db.session.scalar(
        select(func.min(Message.queued_at)).where(
            Message.dispatch.in_((Dispatch.QUEUED, Dispatch.SENDING))
        )
    )
    return max(0.0, (clock.now() - oldest).total_seconds()) if oldest else 0.0
