"""Callbacks that the backend has not taken yet: the statements."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from gateway.store.tables import CallbackState, callbacks

PENDING = callbacks.c.state == CallbackState.PENDING
NO_CHAT = ""
"""The lane of what is about no chat."""
DEAD = callbacks.c.state == CallbackState.DEAD

_ADD = insert(callbacks).values(state=CallbackState.PENDING, tries=0)
_PENDING_OF = (
    select(
        callbacks.c.id,
        callbacks.c.path,
        callbacks.c.body,
        callbacks.c.tries,
        callbacks.c.request_id,
    )
    .where(PENDING, callbacks.c.chat == bindparam("of_chat"))
    .order_by(callbacks.c.id)
    .limit(bindparam("limit"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """What the backend is to be told: where, what, and in whose order."""

    chat: str
    path: str
    body: dict[str, object]
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingCallback:
    """A stored callback, its body still the bytes to send."""

    id: int
    path: str
    body: str
    tries: int
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A callback that the backend refused for good; without its text and phone."""

    id: int
    kind: str
    status: int | None
    reason: str | None


def add_callback(connection: Connection, callback: Callback, *, at: float) -> None:
    values = {
        "chat": callback.chat,
        "path": callback.path,
        "body": json.dumps(callback.body, ensure_ascii=False),
        "request_id": callback.request_id,
    }
    connection.execute(_ADD, values | {"due_at": at, "created_at": at})


def replace_callback(connection: Connection, callback: Callback, *, at: float) -> None:
    """Store a callback in place of those of its kind that wait in its lane."""
    mine = (callbacks.c.chat == callback.chat) & (callbacks.c.path == callback.path)
    connection.execute(delete(callbacks).where(PENDING, mine))
    add_callback(connection, callback, at=at)


def find_pending(connection: Connection, chat: str, *, limit: int) -> list[PendingCallback]:
    """The oldest undelivered callbacks of one chat, in order."""
    rows = connection.execute(_PENDING_OF, {"of_chat": chat, "limit": limit})
    return [PendingCallback(**row._asdict()) for row in rows]


def remove_callbacks(connection: Connection, ids: Sequence[int]) -> None:
    if ids:
        connection.execute(delete(callbacks).where(callbacks.c.id.in_(ids)))


def bury_callback(connection: Connection, callback_id: int, *, status: int, error: str) -> None:
    """Put aside what the backend will never take."""
    query = update(callbacks).where(callbacks.c.id == callback_id)
    connection.execute(query.values(state=CallbackState.DEAD, status=status, last_error=error))


def postpone_callback(
    connection: Connection, callback_id: int, *, due_at: float, status: int | None, error: str
) -> None:
    query = update(callbacks).where(callbacks.c.id == callback_id)
    connection.execute(
        query.values(tries=callbacks.c.tries + 1, due_at=due_at, status=status, last_error=error)
    )


def count_callbacks(connection: Connection) -> dict[CallbackState, int]:
    """Those about customers: a push of the state is replaced, so it never piles up."""
    query = select(callbacks.c.state, func.count()).where(callbacks.c.chat != NO_CHAT)
    query = query.group_by(callbacks.c.state)
    counted: dict[str, int] = {row[0]: row[1] for row in connection.execute(query)}
    return {state: counted.get(state, 0) for state in CallbackState}


def find_dead_letters(connection: Connection, *, limit: int) -> list[DeadLetter]:
    """The newest ones first."""
    columns = (
        callbacks.c.id,
        callbacks.c.path.label("kind"),
        callbacks.c.status,
        callbacks.c.last_error.label("reason"),
    )
    query = select(*columns).where(DEAD).order_by(callbacks.c.id.desc()).limit(limit)
    return [DeadLetter(**row._asdict()) for row in connection.execute(query)]


def purge_dead_letters(connection: Connection, *, created_before: float) -> None:
    """Let go of what nobody asked for in all that time: it holds texts and phones."""
    connection.execute(delete(callbacks).where(DEAD, callbacks.c.created_at < created_before))


def erase_chat(connection: Connection, chat: str) -> int:
    return connection.execute(delete(callbacks).where(callbacks.c.chat == chat)).rowcount
