"""The event log as the stream replays it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from crm.extensions import db
from crm.models import Counter, CounterName, Event

BATCH = 500


@dataclass(frozen=True, slots=True)
class Extent:
    """What replay has: events after `pruned_to`, up to `newest`."""

    pruned_to: int
    newest: int

    def can_resume(self, after: int) -> bool:
        """Whether a client that has seen `after` can be given all that it missed."""
        return self.pruned_to <= after <= self.newest


def read_extent() -> Extent:
    """The ends of the log."""
    pruned = (
        select(Counter.value).where(Counter.name == CounterName.EVENTS_PRUNED_TO).scalar_subquery()
    )
    newest = select(func.max(Event.id)).scalar_subquery()
    row = db.session.execute(select(pruned, newest)).one()
    return Extent(pruned_to=row[0] or 0, newest=row[1] or 0)


def read_after(event_id: int, *, up_to: int | None = None) -> Sequence[tuple[int, bytes]]:
    """The next events after an id, in order, as (id, JSON); at most `BATCH` of them."""
    statement = select(Event.id, Event.data).where(Event.id > event_id)
    if up_to is not None:
        statement = statement.where(Event.id <= up_to)
    rows = db.session.execute(statement.order_by(Event.id).limit(BATCH))
    return [(row.id, row.data.encode()) for row in rows]
