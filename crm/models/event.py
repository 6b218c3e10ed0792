"""The event log: what browsers are told, in one order, kept for replay."""

from datetime import datetime

from sqlalchemy import DateTime, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from crm.extensions import Base, Id


class Event(Base):
    """One event of the stream; `data` is the JSON that leaves, byte for byte."""

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    type: Mapped[str] = mapped_column(String(32))
    customer_id: Mapped[int | None] = mapped_column(Id)
    """No foreign key: `customer_deleted` outlives its customer."""
    data: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime)

    __table_args__ = (
        Index("ix_events_customer", "customer_id"),
        Index("ix_events_created_at", "created_at"),
        {"sqlite_autoincrement": True},
    )
