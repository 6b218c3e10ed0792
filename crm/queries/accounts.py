"""Agents, tokens and the audit, as lists."""

from collections.abc import Sequence

from sqlalchemy import select

from crm import wire
from crm.extensions import db
from crm.models import Agent, ApiToken, AuditEntry
from crm.queries.pages import LIMIT, Page, decode_cursor, read_page

_AUDIT = (
    select(wire.AUDIT_ENTRY.as_sql(), AuditEntry.id).order_by(AuditEntry.id.desc()).limit(LIMIT)
)


def list_agents() -> Sequence[Agent]:
    """Every agent, the disabled ones too."""
    return db.session.scalars(select(Agent).order_by(Agent.id)).all()


def list_tokens() -> Sequence[ApiToken]:
    """Every token, the revoked ones too, newest first."""
    return db.session.scalars(select(ApiToken).order_by(ApiToken.id.desc())).all()


def page_of_audit(*, limit: int, cursor: str | None) -> Page:
    """Some entries of the audit, newest first."""
    statement = _AUDIT
    if cursor is not None:
        statement = statement.where(AuditEntry.id < decode_cursor(cursor, int)[0])
    return read_page(statement, limit=limit)
