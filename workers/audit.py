"""Tasks about the audit."""

from crm.queue import celery
from crm.services import audit


@celery.task(name="audit.prune")
def prune() -> None:
    """Erase entries that were kept for as long as the setting says."""
    audit.prune_audit()
