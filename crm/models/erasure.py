"""Customers whose copies at the gateway are still to be erased."""

from datetime import datetime

from sqlalchemy import DateTime, String
from sqlalchemy.orm import Mapped, mapped_column

from crm.extensions import Base, Id


class Erasure(Base):
    """One erasure that the gateway has not confirmed yet; the row goes when it has."""

    __tablename__ = "erasures"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    address: Mapped[str] = mapped_column(String(32))
    due_at: Mapped[datetime] = mapped_column(DateTime)
