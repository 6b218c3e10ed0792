"""Which chats have work that is due: both queues are worked off in order per chat."""

from dataclasses import dataclass
from functools import cache

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    bindparam,
    func,
    select,
)


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
    due, later = _look(table) if only is None else _build_look(table, only)
    moment = {"state": state, "at": at}
    chats = list(connection.scalars(due, moment | {"limit": limit}))
    next_due: float | None = connection.scalar(later, moment)
    return DueChats(chats, None if next_due is None else next_due - at)


@cache
def _look(table: Table) -> tuple[Select[str], Select[float]]:
    # Asked many times a second: building the statements costs more than running them.
    return _build_look(table)


def _build_look(
    table: Table, only: ColumnElement[bool] | None = None
) -> tuple[Select[str], Select[float]]:
    at: BindParameter[float] = bindparam("at")
    waiting = table.c.state == bindparam("state")
    if only is not None:
        waiting = and_(waiting, only)
    oldest = select(func.min(table.c.id)).where(waiting).group_by(table.c.chat)
    due = (
        select(table.c.chat)
        .where(table.c.id.in_(oldest), table.c.due_at <= at)
        .order_by(*_urgency(table))
        .limit(bindparam("limit"))
    )
    return due, select(func.min(table.c.due_at)).where(waiting, table.c.due_at > at)


def _urgency(table: Table) -> list[ColumnElement[int]]:
    return [table.c.priority, table.c.id] if "priority" in table.c else [table.c.id]
