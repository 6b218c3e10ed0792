"""Files that came with messages, and customers' pictures: the statements."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, update

from gateway.store.lanes import DueChats
from gateway.store.tables import MediaState, media

PENDING = media.c.state == MediaState.PENDING


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaFile:
    """One file, as far as it is known; a customer's own picture has no `whatsapp_id`."""

    id: str
    chat: str
    whatsapp_id: str | None
    kind: str
    mime: str
    name: str | None
    size: int | None
    reference: str
    state: MediaState
    reason: str | None
    tries: int
    due_at: float
    created_at: float

    @property
    def is_picture(self) -> bool:
        return self.whatsapp_id is None


def add_media(connection: Connection, values: Mapping[str, Any]) -> None:
    connection.execute(insert(media).values(state=MediaState.PENDING, tries=0, **values))


def find_media(connection: Connection, media_id: str) -> MediaFile | None:
    return _read_first(connection, media.c.id == media_id)


def find_of_message(connection: Connection, chat: str, whatsapp_id: str) -> MediaFile | None:
    """The file of a message that came before: WhatsApp tells some things twice."""
    return _read_first(connection, (media.c.chat == chat) & (media.c.whatsapp_id == whatsapp_id))


def find_due_media(connection: Connection, *, at: float, limit: int) -> DueChats:
    """Ids of files to fetch now: each is a lane of its own and waits for no other."""
    due = select(media.c.id).where(PENDING, media.c.due_at <= at)
    ids = list(connection.scalars(due.order_by(media.c.due_at).limit(limit)))
    later = select(func.min(media.c.due_at)).where(PENDING, media.c.due_at > at)
    next_due: float | None = connection.scalar(later)
    return DueChats(ids, None if next_due is None else next_due - at)


def change_pending(connection: Connection, media_id: str, **values: Any) -> bool:
    """False where it is not waited for any more, erased for example."""
    query = update(media).where(media.c.id == media_id, PENDING).values(**values)
    return connection.execute(query).rowcount == 1


def await_again(connection: Connection, media_id: str, *, due_at: float) -> None:
    """Fetch anew what was stored and is lost."""
    mine = (media.c.id == media_id) & (media.c.state == MediaState.STORED)
    values = {"state": MediaState.PENDING, "tries": 0, "due_at": due_at}
    connection.execute(update(media).where(mine).values(**values))


def remove_awaited_pictures(connection: Connection, chat: str) -> None:
    """Forget pictures of this customer that are not here yet: a newer one is known."""
    _remove(connection, PENDING & (media.c.chat == chat) & media.c.whatsapp_id.is_(None))


def remove_other_pictures(connection: Connection, newest: MediaFile) -> list[str]:
    """Forget the older pictures of this customer; returns their ids."""
    mine = (media.c.chat == newest.chat) & media.c.whatsapp_id.is_(None)
    return _remove(
        connection, mine & (media.c.id != newest.id) & (media.c.created_at <= newest.created_at)
    )


def expire_media(connection: Connection, *, before: float, reason: str) -> list[str]:
    """Let go of messages' files that came before that moment; returns their ids."""
    old = (
        (media.c.state == MediaState.STORED)
        & media.c.whatsapp_id.is_not(None)
        & (media.c.created_at < before)
    )
    ids = list(connection.scalars(select(media.c.id).where(old)))
    values = {"state": MediaState.EXPIRED, "reason": reason, "reference": "", "name": None}
    connection.execute(update(media).where(old).values(**values))
    return ids


def find_kept(connection: Connection) -> set[str]:
    """Ids of all files that should be there."""
    return set(connection.scalars(select(media.c.id).where(media.c.state == MediaState.STORED)))


def count_media(connection: Connection) -> dict[MediaState, int]:
    query = select(media.c.state, func.count()).group_by(media.c.state)
    counted: dict[str, int] = {row[0]: row[1] for row in connection.execute(query)}
    return {state: counted.get(state, 0) for state in MediaState}


def erase_chat(connection: Connection, chat: str) -> list[str]:
    """Forget all files of a chat; returns their ids."""
    return _remove(connection, media.c.chat == chat)


def _remove(connection: Connection, condition: ColumnElement[bool]) -> list[str]:
    ids = list(connection.scalars(select(media.c.id).where(condition)))
    connection.execute(delete(media).where(condition))
    return ids


def _read_first(connection: Connection, condition: ColumnElement[bool]) -> MediaFile | None:
    row = connection.execute(select(media).where(condition).limit(1)).first()
    return None if row is None else _read(row)


def _read(row: Row[Any]) -> MediaFile:
    values = row._asdict()
    return MediaFile(**values | {"state": MediaState(values["state"])})
