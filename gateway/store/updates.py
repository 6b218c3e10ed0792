"""Kept updates: what WhatsApp brought, as it came, and what of it was recorded already."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, exists, func, insert, or_, select, update

from gateway.chats import LID_SUFFIX
from gateway.store.tables import UpdateState, recorded, update_chats, updates


@dataclass(frozen=True, slots=True)
class KeptUpdate:
    id: int
    raw: str


def add_update(connection: Connection, raw: str, *, at: float) -> None:
    connection.execute(insert(updates).values(raw=raw, state=UpdateState.PENDING, received_at=at))


def find_oldest(connection: Connection) -> KeptUpdate | None:
    """The update to read next."""
    query = select(updates.c.id, updates.c.raw).where(updates.c.state == UpdateState.PENDING)
    row = connection.execute(query.order_by(updates.c.id).limit(1)).first()
    return None if row is None else KeptUpdate(row.id, row.raw)


def settle_update(
    connection: Connection, update_id: int, state: UpdateState, *, chats: Iterable[str] = ()
) -> None:
    """It was read, or cannot be; remember whom it is about."""
    connection.execute(update(updates).where(updates.c.id == update_id).values(state=state))
    mentioned = [{"update_id": update_id, "chat": chat} for chat in sorted(set(chats))]
    if mentioned:
        connection.execute(insert(update_chats), mentioned)


def count_updates(connection: Connection) -> dict[UpdateState, int]:
    """How many wait to be read, and how many cannot be."""
    shown = (UpdateState.PENDING, UpdateState.UNREADABLE)
    query = select(updates.c.state, func.count()).where(updates.c.state.in_(shown))
    counted: dict[str, int] = {
        row[0]: row[1] for row in connection.execute(query.group_by(updates.c.state))
    }
    return {state: counted.get(state, 0) for state in shown}


def note_recorded(connection: Connection, key: str, *, at: float) -> bool:
    """False where this was recorded before. Runs in the transaction that records it."""
    digest = hashlib.sha256(key.encode()).hexdigest()
    if connection.scalar(select(recorded.c.key).where(recorded.c.key == digest)) is not None:
        return False
    connection.execute(insert(recorded).values(key=digest, recorded_at=at))
    return True


def purge_updates(connection: Connection, *, received_before: float) -> None:
    """Let go of old updates; one that still waits to be read is never too old."""
    is_old = updates.c.received_at < received_before
    connection.execute(delete(updates).where(is_old, updates.c.state != UpdateState.PENDING))
    _forget_chats(connection)


def purge_recorded(connection: Connection, *, recorded_before: float) -> None:
    connection.execute(delete(recorded).where(recorded.c.recorded_at < recorded_before))


def erase_chat(connection: Connection, chat: str) -> int:
    """Let go of every update about this chat, and of those that hold its number and say nothing.

    One that is not read yet stays, since it may bring what others wrote: read all of them before.
    """
    mentioning = select(update_chats.c.update_id).where(update_chats.c.chat == chat)
    digits = chat.removesuffix(LID_SUFFIX)
    says_nothing = or_(
        updates.c.state == UpdateState.UNREADABLE,
        (updates.c.state == UpdateState.DONE)
        & updates.c.id.not_in(select(update_chats.c.update_id)),
    )
    is_suspect = says_nothing & updates.c.raw.contains(digits)
    query = delete(updates).where(or_(updates.c.id.in_(mentioning), is_suspect))
    erased = connection.execute(query).rowcount
    _forget_chats(connection)
    return erased


def _forget_chats(connection: Connection) -> None:
    kept = exists().where(updates.c.id == update_chats.c.update_id)
    connection.execute(delete(update_chats).where(~kept))
