"""A customer: one line on WhatsApp, known by a phone, by a LID, or by both."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ColumnElement, DateTime, Index, String, Text, func, text
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from crm import clock
from crm.extensions import Base, Id

PREVIEW = 1000
"""Characters of the last message that the list carries."""


def _partial(name: str, *columns: str, where: str) -> Index:
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


class Customer(Base):
    """One row of the inbox's list, with its summary kept up in the same transaction."""

    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    phone: Mapped[str] = mapped_column(String(15))
    """Digits as first given; empty while only the LID is known."""
    phone_key: Mapped[str | None] = mapped_column(String(16))
    """The form that all national variants share; None while the phone is unknown."""
    lid: Mapped[str | None] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(40))
    remark: Mapped[str | None] = mapped_column(Text)
    extra_fields: Mapped[dict[str, Any]] = mapped_column(JSON)
    photo_url: Mapped[str | None] = mapped_column(Text)
    unread_count: Mapped[int]
    last_message: Mapped[str | None] = mapped_column(Text)
    last_timestamp: Mapped[datetime | None] = mapped_column(DateTime)
    active_at: Mapped[datetime] = mapped_column(DateTime)
    """What the list is ordered by: `last_timestamp`, else `created_at`."""
    window_closes_at: Mapped[datetime | None] = mapped_column(DateTime)
    """Until when WhatsApp takes a free text; None: at any time, as far as is known."""
    created_at: Mapped[datetime] = mapped_column(DateTime)
    updated_at: Mapped[datetime] = mapped_column(DateTime)

    __table_args__ = (
        Index("uq_customers_phone_key", "phone_key", unique=True),
        Index("uq_customers_lid", "lid", unique=True),
        Index("ix_customers_active_at", "active_at", "id"),
        Index("ix_customers_status", "status", "active_at", "id"),
        _partial("ix_customers_unread", "active_at", "id", where="unread_count > 0"),
        _partial(
            "ix_customers_unread_status", "status", "active_at", "id", where="unread_count > 0"
        ),
        _partial("ix_customers_read", "active_at", "id", where="unread_count <= 0"),
        _partial("ix_customers_silent", "active_at", where="last_timestamp IS NULL"),
        {"sqlite_autoincrement": True},
    )

    @classmethod
    def new(cls, *, name: str, phone: str, phone_key: str | None, lid: str | None = None,
            status: str = "new") -> "Customer":  # fmt: skip
        """A customer without messages."""
        moment = clock.now()
        return cls(
            name=name,
            phone=phone,
            phone_key=phone_key,
            lid=lid,
            status=status,
            extra_fields={},
            unread_count=0,
            active_at=moment,
            created_at=moment,
            updated_at=moment,
        )

    @hybrid_property
    def address(self) -> str:
        """What the gateway sends to: the phone, or `<lid>@lid` until one is known."""
        return self.phone or f"{self.lid}@lid"

    @address.inplace.expression
    @classmethod
    def _address_in_sql(cls) -> ColumnElement[str]:
        return func.coalesce(func.nullif(cls.phone, ""), cls.lid + "@lid")

    def show_message(self, content: str, timestamp: datetime) -> None:
        """Make a message the last one."""
        for name, value in last_message(self.last_timestamp, content, timestamp).items():
            setattr(self, name, value)


LAST_MESSAGE = ("last_message", "last_timestamp", "active_at", "updated_at")
"""The columns that it changes."""


def last_message(latest: datetime | None, content: str, timestamp: datetime) -> dict[str, Any]:
    """What a new last message changes in a customer's row; the list never goes back in time."""
    moment = max(latest or timestamp, timestamp)
    return dict(zip(LAST_MESSAGE, (content[:PREVIEW], moment, moment, clock.now()), strict=True))
