"""Totals that only grow, whatever is erased, and marks of the event log."""

from enum import StrEnum

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from crm.extensions import Base


class CounterName(StrEnum):
    MESSAGES_SENT = "messages_sent"  # proved by a WhatsApp id
    MESSAGES_RECEIVED = "messages_received"
    MESSAGES_FAILED = "messages_failed"
    EVENTS_PRUNED_TO = "events_pruned_to"  # the newest event id that replay no longer has
    DATABASE_ID = "database_id"  # drawn once: tells this database from one that replaced it


class Counter(Base):
    """One number."""

    __tablename__ = "counters"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)
