"""Agents: the people who answer customers, their sessions, and how the first of them comes in."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import DateTime, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from crm.extensions import Base, Id


class Role(StrEnum):
    OWNER = "owner"  # also makes tokens and reads the audit
    AGENT = "agent"


class Agent(Base):
    """A person with a login; never erased, so that the audit keeps its meaning."""

    __tablename__ = "agents"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    login: Mapped[str] = mapped_column(String(254))
    """An e-mail address or a short name, in the form that capitals do not change."""
    role: Mapped[Role] = mapped_column(String(8))
    password_hash: Mapped[str] = mapped_column(String(255))
    disabled_at: Mapped[datetime | None] = mapped_column(DateTime)
    created_at: Mapped[datetime] = mapped_column(DateTime)

    __table_args__ = (
        Index("uq_agents_login", "login", unique=True),
        {"sqlite_autoincrement": True},
    )


class AgentSession(Base):
    """One sign-in of an agent: it is over once the row is gone, whatever a cookie says."""

    __tablename__ = "agent_sessions"

    secret_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id", ondelete="CASCADE"), index=True)
    started_at: Mapped[datetime] = mapped_column(DateTime)
    ends_at: Mapped[datetime] = mapped_column(DateTime)


class SetupLink(Base):
    """Lets its holder become the first owner; all of them go when there is one."""

    __tablename__ = "setup_links"

    secret_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(DateTime)
