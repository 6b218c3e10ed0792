"""Acks that came before the map that says whose they are."""

from datetime import datetime

from sqlalchemy import DateTime, String
from sqlalchemy.orm import Mapped, mapped_column

from crm.extensions import Base


class ParkedAck(Base):
    """The highest ack heard for a WhatsApp id that no message has yet; kept for 7 days."""

    __tablename__ = "parked_acks"

    whatsapp_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    ack: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(DateTime, index=True)
