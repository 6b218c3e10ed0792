"""When a worker last did a task of beat's: the proof that queue, beat and worker all run."""

from datetime import datetime

from sqlalchemy import DateTime, String
from sqlalchemy.orm import Mapped, mapped_column

from crm.extensions import Base


class WorkerHeartbeat(Base):
    """One row a worker host."""

    __tablename__ = "worker_heartbeats"

    name: Mapped[str] = mapped_column(String(255), primary_key=True)
    beat_at: Mapped[datetime] = mapped_column(DateTime)
