"""Tokens: how scripts call the API without a person's password."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import DateTime, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from crm.extensions import Base, Id


class Scope(StrEnum):
    READ = "read"  # whatever an agent may look at
    SEND = "send"  # also send, retry and cancel


class ApiToken(Base):
    """One token; only its hash is kept, and `prefix` to recognise it by."""

    __tablename__ = "api_tokens"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    prefix: Mapped[str] = mapped_column(String(12))
    secret_hash: Mapped[str] = mapped_column(String(64))
    scope: Mapped[Scope] = mapped_column(String(8))
    created_by: Mapped[str | None] = mapped_column(String(120))
    """The owner's name then."""
    created_at: Mapped[datetime] = mapped_column(DateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(DateTime)
    """To within some minutes."""
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime)

    __table_args__ = (
        Index("uq_api_tokens_secret_hash", "secret_hash", unique=True),
        {"sqlite_autoincrement": True},
    )
