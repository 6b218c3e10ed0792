"""The audit, as use cases write it, and how long it is kept."""

from datetime import timedelta

import structlog
from flask import current_app
from sqlalchemy import delete, select

from crm import clock
from crm.actors import Actor
from crm.models import Action, AuditEntry
from crm.transaction import Transaction, transaction

log = structlog.get_logger(__name__)

BATCH = 500
"""Entries looked at in one round; the next one is a minute later."""


def note(tx: Transaction, action: Action, actor: Actor, *, subject: str | None = None) -> None:
    """Keep who does this; it is stored with the change itself, or not at all."""
    tx.session.add(
        AuditEntry(
            at=clock.now(),
            action=action,
            actor=actor.as_author(),
            subject=subject,
            address=actor.address and actor.address[:45],
        )
    )


def record_action(action: Action, actor: Actor) -> None:
    """Keep that somebody is about to do what changes no row, or rows by the thousand."""
    with transaction() as tx:
        note(tx, action, actor)


def prune_audit() -> int:
    """Erase the oldest entries where they were kept for AUDIT_DAYS; returns how many."""
    days = current_app.config["AUDIT_DAYS"]
    if not days:
        return 0
    with transaction() as tx:
        # By id, which needs no index of its own: entries are written in the order of their times.
        oldest = tx.session.execute(
            select(AuditEntry.id, AuditEntry.at).order_by(AuditEntry.id).limit(BATCH)
        )
        cutoff = clock.now() - timedelta(days=days)
        old = [entry_id for entry_id, at in oldest if at < cutoff]
        if old:
            tx.session.execute(delete(AuditEntry).where(AuditEntry.id.in_(old)))
            log.info("audit_pruned", count=len(old), days=days)
        return len(old)
