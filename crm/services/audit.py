"""The audit, as use cases write it."""

from crm import clock
from crm.actors import Actor
from crm.models import Action, AuditEntry
from crm.transaction import Transaction, transaction


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
