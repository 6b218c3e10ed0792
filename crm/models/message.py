"""A message, and the table of the moves that its dispatch may make.

Two columns that do not mix: `dispatch` says who must act next, `ack` what WhatsApp has proved.
"""

from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    DateTime,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    Text,
    case,
    func,
    literal,
    text,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from crm.actors import SYSTEM
from crm.extensions import Base, Id


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Dispatch(StrEnum):
    """Who must act on an outbound message."""

    QUEUED = "queued"  # a worker, once it is due
    SENDING = "sending"  # the worker that holds the lease
    ACCEPTED = "accepted"  # the gateway
    MAPPED = "mapped"  # nobody: WhatsApp has it, `ack` tells the rest
    UNKNOWN = "unknown"  # an agent: it may have gone out, it may not
    FAILED = "failed"  # an agent: it did not go out
    CANCELLED = "cancelled"  # nobody: an agent took it back in time


class Priority(IntEnum):
    """Replies overtake the bulk sends of other customers; within a chat nothing overtakes."""

    REPLY = 0
    BULK = 1


OPEN = (Dispatch.QUEUED, Dispatch.SENDING)
"""In flight: an open message holds back the later ones of its customer."""

ALLOWED_MOVES: dict[Dispatch, frozenset[Dispatch]] = {
    Dispatch.QUEUED: frozenset(
        {Dispatch.SENDING, Dispatch.ACCEPTED, Dispatch.MAPPED, Dispatch.FAILED, Dispatch.UNKNOWN,
         Dispatch.CANCELLED}
    ),
    Dispatch.SENDING: frozenset(
        {Dispatch.QUEUED, Dispatch.ACCEPTED, Dispatch.MAPPED, Dispatch.FAILED, Dispatch.UNKNOWN}
    ),
    Dispatch.ACCEPTED: frozenset({Dispatch.MAPPED, Dispatch.FAILED, Dispatch.UNKNOWN}),
    Dispatch.UNKNOWN: frozenset({Dispatch.QUEUED, Dispatch.MAPPED, Dispatch.FAILED}),
    Dispatch.FAILED: frozenset({Dispatch.QUEUED, Dispatch.MAPPED}),
    Dispatch.CANCELLED: frozenset({Dispatch.MAPPED}),
    Dispatch.MAPPED: frozenset(),
}  # fmt: skip
"""From each state the states it may turn into. MAPPED overrules all: it did go out.

`outcomes.report_failed` alone goes back from MAPPED: what was never proved delivered may fail, by
the gateway's word about that very WhatsApp id.
"""


def may_become(target: Dispatch) -> list[Dispatch]:
    """The states that may turn into `target`: the guard of a conditional UPDATE."""
    return [state for state, targets in ALLOWED_MOVES.items() if target in targets]


ACK_STATUS = {1: "sent", 2: "delivered", 3: "read", 4: "played"}


class Message(Base):
    """One message of a chat. Columns from `dispatch` on are used by outbound ones only."""

    __tablename__ = "messages"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    direction: Mapped[Direction] = mapped_column(String(8))
    content: Mapped[str] = mapped_column(Text)
    timestamp: Mapped[datetime] = mapped_column(DateTime)
    ack: Mapped[int]
    whatsapp_id: Mapped[str | None] = mapped_column(String(255))
    request_id: Mapped[str | None] = mapped_column(String(128))
    """The request that stored it; follows the work into every log."""

    media: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """A file that came with it: `id`, `kind`, `mime`, `size`, `name`, `state`, `url`."""

    dispatch: Mapped[Dispatch | None] = mapped_column(String(10))
    priority: Mapped[int] = mapped_column(SmallInteger, default=Priority.REPLY, server_default="0")
    template: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """Sent instead of the text, which only shows what it says: `name`, `language`, `params`."""
    written_by: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """Whoever wrote it, as they were called then: `kind`, `id`, `name`. None: the system."""
    idempotency_key: Mapped[str | None] = mapped_column(String(255))
    body_hash: Mapped[str | None] = mapped_column(String(64))
    """Of what came with the idempotency key, to tell a repeat from a mistake."""
    queued_at: Mapped[datetime | None] = mapped_column(DateTime)
    due_at: Mapped[datetime | None] = mapped_column(DateTime)
    """Queued: not to be claimed before. Accepted: when to ask the gateway about it."""
    hinted_at: Mapped[datetime | None] = mapped_column(DateTime)
    """When a job was last sent for this row."""
    lease_until: Mapped[datetime | None] = mapped_column(DateTime)
    claims: Mapped[int] = mapped_column(default=0)
    """Times a worker took it; also the fence against results that come too late."""
    lost_leases: Mapped[int] = mapped_column(default=0)
    """Claims since it was queued whose worker was never heard of again."""
    failures: Mapped[int] = mapped_column(default=0)
    """Definite temporary failures since it was queued."""
    attempts: Mapped[int] = mapped_column(default=0)
    """Tries that ended with an answer, or with a fault that counts as one, in all."""
    gateway_attempt: Mapped[int] = mapped_column(default=1)
    """Raised by an agent's retry; the gateway sends each (id, attempt) at most once."""
    maybe_written: Mapped[bool] = mapped_column(default=False)
    """Some try may have reached the gateway, so nobody can say that it did not go out."""
    accepted_at: Mapped[datetime | None] = mapped_column(DateTime)
    error: Mapped[str | None] = mapped_column(Text)
    error_code: Mapped[str | None] = mapped_column(String(64))
    seen_delay_ms: Mapped[int | None] = mapped_column(Id)
    seen_to: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (
        Index("ix_messages_customer", "customer_id", "id"),
        Index("ix_messages_timestamp", "timestamp"),
        Index("uq_messages_idempotency_key", "idempotency_key", unique=True),
        Index(
            "uq_messages_outbound_whatsapp_id",
            "whatsapp_id",
            unique=True,
            sqlite_where=text("direction = 'outbound'"),
            postgresql_where=text("direction = 'outbound'"),
        ),
        Index(
            "uq_messages_inbound_whatsapp_id",
            "customer_id",
            "whatsapp_id",
            unique=True,
            sqlite_where=text("direction = 'inbound'"),
            postgresql_where=text("direction = 'inbound'"),
        ),
        # These two name the state also as a column: of an index that serves more of a question than
        # another, SQLite keeps to it whatever ANALYZE counted.
        Index(
            "ix_messages_unread",
            "customer_id",
            "direction",
            "id",
            sqlite_where=text("direction = 'inbound' AND ack < 3"),
            postgresql_where=text("direction = 'inbound' AND ack < 3"),
        ),
        Index(
            "ix_messages_open",
            "customer_id",
            "dispatch",
            "id",
            sqlite_where=text("dispatch IN ('queued', 'sending')"),
            postgresql_where=text("dispatch IN ('queued', 'sending')"),
        ),
        Index("ix_messages_dispatch", "dispatch", "priority", "due_at"),
        {"sqlite_autoincrement": True},
    )

    @hybrid_property
    def status(self) -> str:
        """What an agent is shown: the ack where WhatsApp has the message, else the dispatch."""
        if self.dispatch is None or self.dispatch == Dispatch.MAPPED:
            return ACK_STATUS[self.ack]
        return str(self.dispatch)

    @status.inplace.expression
    @classmethod
    def _status_in_sql(cls) -> ColumnElement[str]:
        proved = case(ACK_STATUS, value=cls.ack)
        return case((cls.dispatch != Dispatch.MAPPED, cls.dispatch), else_=proved)

    @hybrid_property
    def author(self) -> dict[str, Any] | None:
        """Who wrote an outbound message; None of an inbound one."""
        if self.direction != Direction.OUTBOUND:
            return None
        return self.written_by or SYSTEM.as_author()

    @author.inplace.expression
    @classmethod
    def _author_in_sql(cls) -> ColumnElement[dict[str, Any] | None]:
        written_by = func.coalesce(cls.written_by, literal(SYSTEM.as_author(), JSON))
        return case((cls.direction == Direction.OUTBOUND, written_by))
