"""What is known of the gateway: the circuit breaker, and its last status."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Text
from sqlalchemy.orm import Mapped, mapped_column

from crm.extensions import Base


class GatewayLink(Base):
    """The one row about the one gateway."""

    __tablename__ = "gateway_link"

    id: Mapped[int] = mapped_column(primary_key=True)
    refusals: Mapped[int] = mapped_column(default=0)
    """Sends in a row that never reached it, or that it answered with 503."""
    open_until: Mapped[datetime | None] = mapped_column(DateTime)
    """Breaker open: no claim before; then one message goes first. None: closed."""
    reason: Mapped[str | None] = mapped_column(Text)
    status: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    checked_at: Mapped[datetime | None] = mapped_column(DateTime)
