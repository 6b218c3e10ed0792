"""Keeping the event log as long as replay is promised, and no longer."""

from datetime import timedelta

from sqlalchemy import delete, func, select, update

from crm import clock
from crm.models import Counter, CounterName, Event
from crm.services.receipts import prune_parked_acks
from crm.transaction import transaction

ALWAYS_KEPT = 10_000
KEPT_AT_MOST = 200_000
KEPT_FOR = timedelta(hours=24)


def prune() -> int:
    """Drop old parked acks, and events past their replay; returns the newest id dropped, or 0."""
    with transaction() as tx:
        newest = tx.session.scalar(select(func.max(Event.id))) or 0
        old = tx.session.scalar(
            select(func.max(Event.id)).where(Event.created_at < clock.now() - KEPT_FOR)
        )
        drop_to = max(newest - KEPT_AT_MOST, min(old or 0, newest - ALWAYS_KEPT), 0)
        if drop_to:
            tx.session.execute(delete(Event).where(Event.id <= drop_to))
            tx.session.execute(
                update(Counter)
                .where(Counter.name == CounterName.EVENTS_PRUNED_TO, Counter.value < drop_to)
                .values(value=drop_to)
            )
        prune_parked_acks(tx)
        return drop_to
