"""The audit: who did what to whom, when and from where. No text, no phone, no password."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, DateTime, String
from sqlalchemy.orm import Mapped, mapped_column

from crm.extensions import Base, Id


class Action(StrEnum):
    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGNED_OUT = "signed_out"
    SIGNED_OUT_EVERYWHERE = "signed_out_everywhere"
    PASSWORD_CHANGED = "password_changed"
    PASSWORD_RESET = "password_reset"
    AGENT_CREATED = "agent_created"
    AGENT_CHANGED = "agent_changed"
    AGENT_DISABLED = "agent_disabled"
    AGENT_ENABLED = "agent_enabled"
    TOKEN_CREATED = "token_created"
    TOKEN_REVOKED = "token_revoked"
    CUSTOMER_DELETED = "customer_deleted"
    CUSTOMERS_EXPORTED = "customers_exported"
    CUSTOMERS_IMPORTED = "customers_imported"


class AuditEntry(Base):
    """One thing that was done; written in the transaction that does it, and never changed."""

    __tablename__ = "audit_entries"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime)
    action: Mapped[Action] = mapped_column(String(32))
    actor: Mapped[dict[str, Any]] = mapped_column(JSON)
    """`kind`, `id` and `name`, as they were then."""
    subject: Mapped[str | None] = mapped_column(String(40))
    """What it was done to: `agent 3`, `token 5`, `customer 7`."""
    address: Mapped[str | None] = mapped_column(String(45))
