"""Tasks about the event log."""

from crm.queue import celery
from crm.services import event_log


@celery.task(name="events.prune")
def prune() -> None:
    """Drop events that replay no longer promises."""
    event_log.prune()
