"""The event log as the stream replays it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, func, select

from crm.extensions import db
from crm.models import Counter, CounterName, Event

BATCH = 500
ENDLESS = 2**63 - 1
"""The highest id that a database can give."""

# The table, not the model, and made once: asked each second, and by each client that comes back.
_LOG: Any = Event.__table__
_PRUNED = select(Counter.value).where(Counter.name == CounterName.EVENTS_PRUNED_TO)
_EXTENT = select(_PRUNED.scalar_subquery(), select(func.max(_LOG.c.id)).scalar_subquery())
_AFTER = (
    select(_LOG.c.id, _LOG.c.data)
    .where(_LOG.c.id > bindparam("after"), _LOG.c.id <= bindparam("up_to"))
    .order_by(_LOG.c.id)
    .limit(BATCH)
)


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
    pruned_to, newest = db.session.connection().execute(_EXTENT).one()
    return Extent(pruned_to=pruned_to or 0, newest=newest or 0)


def read_after(event_id: int, *, up_to: int = ENDLESS) -> Sequence[tuple[int, bytes]]:
    """The next events after an id, in order, as (id, JSON); at most `BATCH` of them."""
    rows = db.session.connection().execute(_AFTER, {"after": event_id, "up_to": up_to})
    return [(number, data.encode()) for number, data in rows]
