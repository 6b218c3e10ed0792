"""Accepted sends: the statements. States move queued → sending → sent, failed or unknown."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, func, insert, select, update

from gateway.drivers.events import TemplateUse
from gateway.store.tables import SendState, sends

OPEN = (SendState.QUEUED, SendState.SENDING)
DEPARTED = sends.c.state.in_((SendState.SENDING, SendState.SENT, SendState.UNKNOWN))
"""What went out or may have: `due_at` is then the moment."""
REPLY, BULK = 0, 1
ERASED = {"code": "erased", "reason": "The customer was erased."}

# Built once: building a statement costs more than running it.
_ADD = insert(sends).values(state=SendState.QUEUED)
_ATTEMPTS = (
    select(sends)
    .where(sends.c.backend_message_id == bindparam("message_id"))
    .order_by(sends.c.attempt.desc())
)
_STANDING = select(sends.c.state, sends.c.chat).where(sends.c.id == bindparam("send_id"))
_BY_WHATSAPP_ID = (
    select(sends)
    .where(sends.c.whatsapp_id.in_((bindparam("known_id"), bindparam("digest"))))
    .order_by(sends.c.id)
    .limit(1)
)
_NEXT = (
    select(sends)
    .where(
        sends.c.state == SendState.QUEUED,
        sends.c.chat == bindparam("of_chat"),
        sends.c.priority <= bindparam("lowest"),
    )
    .order_by(sends.c.id)
    .limit(1)
)
_CHANGE = update(sends).where(sends.c.id == bindparam("send_id"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """One attempt at one message of the backend, as stored."""

    id: int
    backend_message_id: int
    attempt: int
    chat: str
    text: str
    template: TemplateUse | None
    priority: int
    state: SendState
    due_at: float
    accepted_at: float
    settled_at: float | None
    whatsapp_id: str | None
    code: str | None
    reason: str | None
    request_id: str

    @property
    def is_erased(self) -> bool:
        """Its customer is forgotten: nothing of it goes out, and nobody is told anything of it."""
        return not self.chat


def add_send(
    connection: Connection, values: Mapping[str, Any], *, template: TemplateUse | None = None
) -> None:
    """Store a new send. Raises IntegrityError where this attempt is known."""
    stored = None if template is None else asdict(template)
    connection.execute(_ADD, {**values, "template": stored})


def find_attempts(connection: Connection, backend_message_id: int) -> list[Send]:
    """Every attempt at this message, the newest first."""
    return [_read(row) for row in connection.execute(_ATTEMPTS, {"message_id": backend_message_id})]


def find_attempt(connection: Connection, backend_message_id: int, attempt: int) -> Send | None:
    query = select(sends).where(
        sends.c.backend_message_id == backend_message_id, sends.c.attempt == attempt
    )
    return _read_first(connection, query)


def find_standing(connection: Connection, send_id: int) -> tuple[SendState | None, bool]:
    """Where a send stands now, None where it is unknown; and whether it was erased."""
    row = connection.execute(_STANDING, {"send_id": send_id}).first()
    return (None, False) if row is None else (SendState(row.state), not row.chat)


def find_by_whatsapp_id(connection: Connection, whatsapp_id: str) -> Send | None:
    ids = {"known_id": whatsapp_id, "digest": _make_digest(whatsapp_id)}
    return _read_first(connection, _BY_WHATSAPP_ID, ids)


def find_next(connection: Connection, chat: str, *, lowest: int = BULK) -> Send | None:
    """The oldest queued send of this chat that is no less urgent than `lowest`."""
    return _read_first(connection, _NEXT, {"of_chat": chat, "lowest": lowest})


def change_send(connection: Connection, send_id: int, **values: Any) -> None:
    connection.execute(_CHANGE, {"send_id": send_id, **values})


def settle_send(
    connection: Connection, send_id: int, state: SendState, *, at: float, **values: Any
) -> None:
    """Give a send its final state and let go of its text."""
    change_send(connection, send_id, state=state, settled_at=at, text="", template=None, **values)


def settle_erased(
    connection: Connection, send_id: int, *, at: float, whatsapp_id: str | None
) -> None:
    """End a send that was under way while its customer was erased."""
    digest = whatsapp_id and _make_digest(whatsapp_id)
    settle_send(connection, send_id, SendState.FAILED, at=at, whatsapp_id=digest, **ERASED)


def settle_interrupted(connection: Connection, state: SendState, *, at: float) -> int:
    """Move what a killed process left in `sending`; returns how many there were.

    What was erased meanwhile has no text and no address: it never goes out.
    """
    erased = update(sends).where(sends.c.state.in_(OPEN), sends.c.chat == "")
    connection.execute(erased.values(state=SendState.FAILED, settled_at=at, **ERASED))
    values: dict[str, Any] = {"state": state}
    if state is not SendState.QUEUED:
        values |= {"settled_at": at, "text": "", "template": None}
    query = update(sends).where(sends.c.state == SendState.SENDING).values(**values)
    return connection.execute(query).rowcount


def count_open(connection: Connection) -> int:
    return _count(connection, sends.c.state.in_(OPEN))


def find_departures(
    connection: Connection, *, since: float, limit: int | None = None
) -> list[float]:
    """When sends after that moment went out, the newest first."""
    query = select(sends.c.due_at).where(DEPARTED, sends.c.due_at > since)
    return list(connection.scalars(query.order_by(sends.c.due_at.desc()).limit(limit)))


def count_departures(connection: Connection, *, since: float) -> int:
    return _count(connection, DEPARTED & (sends.c.due_at > since))


def find_last_departure(connection: Connection, chat: str, *, since: float) -> float | None:
    """When the chat's last send after that moment went out."""
    query = select(func.max(sends.c.due_at))
    found: float | None = connection.scalar(
        query.where(DEPARTED, sends.c.due_at > since, sends.c.chat == chat)
    )
    return found


def count_unproved(connection: Connection, *, since: float, until: float) -> tuple[int, int]:
    """Messages that went out between two moments, and to how many chats."""
    query = select(func.count(), func.count(sends.c.chat.distinct())).where(
        sends.c.state == SendState.SENT, sends.c.due_at > since, sends.c.due_at <= until
    )
    messages, chats = connection.execute(query).one()
    return messages, chats


def erase_chat(connection: Connection, chat: str, *, at: float) -> int:
    """Forget the person, keep the message ids so that a repeated order sends nothing."""
    mine = sends.c.chat == chat
    erased = _count(connection, mine)
    queued = update(sends).where(mine, sends.c.state == SendState.QUEUED)
    connection.execute(queued.values(state=SendState.FAILED, settled_at=at, **ERASED))
    _hide_whatsapp_ids(connection, mine)
    connection.execute(update(sends).where(mine).values(text="", template=None, chat=""))
    return erased


def _hide_whatsapp_ids(connection: Connection, mine: ColumnElement[bool]) -> None:
    """WhatsApp's ids may hold the phone; a digest still knows a late receipt again."""
    found = select(sends.c.id, sends.c.whatsapp_id).where(mine, sends.c.whatsapp_id.is_not(None))
    for send_id, whatsapp_id in connection.execute(found).all():
        change_send(connection, send_id, whatsapp_id=_make_digest(whatsapp_id))


def _make_digest(whatsapp_id: str) -> str:
    return "erased:" + hashlib.sha256(whatsapp_id.encode()).hexdigest()


def _count(connection: Connection, condition: ColumnElement[bool]) -> int:
    return connection.scalar(select(func.count()).select_from(sends).where(condition)) or 0


def _read_first(
    connection: Connection, query: Any, values: Mapping[str, Any] | None = None
) -> Send | None:
    row = connection.execute(query, values).first()
    return None if row is None else _read(row)


def _read(row: Row[Any]) -> Send:
    values = row._asdict()
    return Send(
        **values
        | {
            "state": SendState(values["state"]),
            "template": _read_template(values["template"]),
            # Of an erased send only a digest is kept, which is nobody's id.
            "whatsapp_id": values["whatsapp_id"] if values["chat"] else None,
        }
    )


def _read_template(stored: dict[str, Any] | None) -> TemplateUse | None:
    if stored is None:
        return None
    return TemplateUse(**stored | {"params": tuple(stored["params"])})
