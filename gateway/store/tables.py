"""The tables. Times are Unix seconds; a `chat` is what `gateway.chats.parse_chat` returns."""

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()
RowId = BigInteger().with_variant(Integer, "sqlite")


class SendState(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"


class CallbackState(StrEnum):
    PENDING = "pending"
    DEAD = "dead"


sends = Table(
    "sends",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("backend_message_id", BigInteger, nullable=False),
    Column("attempt", BigInteger, nullable=False),
    Column("chat", String(32), nullable=False),
    # Emptied once the send is settled: kept no longer than it may still have to go out.
    Column("text", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("due_at", Double, nullable=False),
    Column("accepted_at", Double, nullable=False),
    Column("settled_at", Double),
    Column("whatsapp_id", String(128)),
    Column("code", String(64)),
    Column("reason", String(500)),
    Column("request_id", String(128), nullable=False),
    UniqueConstraint("backend_message_id", "attempt"),
    Index("ix_sends_lane", "state", "chat", "id"),
    Index("ix_sends_whatsapp_id", "whatsapp_id"),
    sqlite_autoincrement=True,
)

callbacks = Table(
    "callbacks",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("chat", String(32), nullable=False),
    Column("path", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("due_at", Double, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("status", Integer),
    Column("last_error", String(200)),
    Column("request_id", String(128), nullable=False),
    Index("ix_callbacks_lane", "state", "chat", "id"),
    # Never reuse the id of a delivered callback: a late clean-up would take the wrong row.
    sqlite_autoincrement=True,
)

facts = Table(
    "facts",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", Double, nullable=False),
)
