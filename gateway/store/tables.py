"""The tables. Times are Unix seconds; a `chat` is what `gateway.chats.parse_chat` returns."""

from enum import StrEnum

from sqlalchemy import (
    JSON,
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


class MediaState(StrEnum):
    PENDING = "pending"
    STORED = "stored"
    FAILED = "failed"
    EXPIRED = "expired"


class UpdateState(StrEnum):
    PENDING = "pending"
    DONE = "done"
    UNREADABLE = "unreadable"


sends = Table(
    "sends",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("backend_message_id", BigInteger, nullable=False),
    Column("attempt", BigInteger, nullable=False),
    Column("chat", String(32), nullable=False),
    # Emptied once the send is settled: kept no longer than it may still have to go out.
    Column("text", Text, nullable=False),
    Column("template", JSON(none_as_null=True)),
    Column("priority", SmallInteger, nullable=False),
    Column("state", String(16), nullable=False),
    # When it may go; once it has been claimed: when it went.
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
    Index("ix_sends_departure", "due_at"),
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

media = Table(
    "media",
    metadata,
    # Not to be guessed: it is also the file's name.
    Column("id", String(64), primary_key=True),
    Column("chat", String(32), nullable=False),
    # Null: the customer's own picture.
    Column("whatsapp_id", String(128)),
    Column("kind", String(16), nullable=False),
    Column("mime", String(100), nullable=False),
    Column("name", String(255)),
    Column("size", BigInteger),
    Column("reference", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(500)),
    Column("tries", Integer, nullable=False),
    Column("due_at", Double, nullable=False),
    Column("created_at", Double, nullable=False),
    Index("ix_media_lane", "state", "due_at"),
    Index("ix_media_chat", "chat", "whatsapp_id"),
    Index("ix_media_age", "created_at"),
)

updates = Table(
    "updates",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("raw", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("received_at", Double, nullable=False),
    Index("ix_updates_state", "state", "id"),
    Index("ix_updates_received_at", "received_at"),
    sqlite_autoincrement=True,
)

# Whom a kept update is about, so that all of it can be erased with the person.
update_chats = Table(
    "update_chats",
    metadata,
    Column("update_id", RowId, primary_key=True, autoincrement=False),
    Column("chat", String(32), primary_key=True),
    Index("ix_update_chats_chat", "chat"),
)

# What was recorded from updates: WhatsApp brings one again for up to 7 days, in other batches.
recorded = Table(
    "recorded",
    metadata,
    # A digest: WhatsApp's own message ids hold the phone number.
    Column("key", String(64), primary_key=True),
    Column("recorded_at", Double, nullable=False),
    Index("ix_recorded_recorded_at", "recorded_at"),
)

facts = Table(
    "facts",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", Double, nullable=False),
)
