"""Which chats have work that is due: both queues are worked off in order per chat."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Table, and_, func, select


@dataclass(frozen=True, slots=True)
class DueChats:
    """Chats to work on now, and the seconds until another becomes due (None: none is set)."""

    chats: list[str]
    pause: float | None = None


def find_due_chats(
    connection: Connection,
    table: Table,
    *,
    state: str,
    at: float,
    limit: int,
    only: ColumnElement[bool] | None = None,
) -> DueChats:
    """Chats whose oldest row in this state is due at that time; the most urgent first.

    `only` leaves out rows, so that those behind them come to the front.
    """
    waiting = table.c.state == state
    if only is not None:
        waiting = and_(waiting, only)
    oldest = select(func.min(table.c.id)).where(waiting).group_by(table.c.chat)
    due = (
        select(table.c.chat)
        .where(table.c.id.in_(oldest), table.c.due_at <= at)
        .order_by(*_urgency(table))
        .limit(limit)
    )
    chats = list(connection.scalars(due))
    later = select(func.min(table.c.due_at)).where(waiting, table.c.due_at > at)
    next_due: float | None = connection.scalar(later)
    return DueChats(chats, None if next_due is None else next_due - at)


def _urgency(table: Table) -> list[ColumnElement[int]]:
    return [table.c.priority, table.c.id] if "priority" in table.c else [table.c.id]
