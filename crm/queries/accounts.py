"""Agents, tokens and the audit, as lists."""

from collections.abc import Sequence

from sqlalchemy import select

from crm import wire
from crm.extensions import db
from crm.models import Agent, ApiToken, AuditEntry
from crm.queries.listing import Listing, read_page
from crm.queries.pages import Page

_AUDIT = Listing(wire.AUDIT_ENTRY.as_sql(), AuditEntry.id, newest_first=True)


def list_agents() -> Sequence[Agent]:
    """Every agent, the disabled ones too."""
    return db.session.scalars(select(Agent).order_by(Agent.id)).all()


def list_tokens() -> Sequence[ApiToken]:
    """Every token, the revoked ones too, newest first."""
    return db.session.scalars(select(ApiToken).order_by(ApiToken.id.desc())).all()


def page_of_audit(*, limit: int, cursor: str | None) -> Page:
    """Some entries of the audit, newest first."""
    return read_page(_AUDIT, limit=limit, cursor=cursor)
