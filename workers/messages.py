"""Tasks about messages."""

from crm.queue import celery, count_waiting_jobs
from crm.services import delivery, outcomes, recovery, retention
from workers.logs import logged, logged_each


@celery.task(name="messages.deliver")
def deliver(message_id: int, *more_ids: int) -> None:
    """Try to hand queued messages to the gateway."""
    message_ids = (message_id, *more_ids)
    with logged_each("message_id", message_ids) as tell:
        for one in delivery.deliver_messages(message_ids):
            tell(one.message_id, outcome=one.outcome, request_id=one.request_id)


@celery.task(name="messages.check_accepted")
def check_accepted(message_id: int) -> None:
    """Ask the gateway about an accepted message that nothing more was heard of."""
    with logged(message_id=message_id) as line:
        line["outcome"] = outcomes.check_accepted(message_id)


@celery.task(name="messages.sweep")
def sweep() -> None:
    """Bring everything that is overdue one step on."""
    recovery.sweep(jobs_waiting=count_waiting_jobs())


@celery.task(name="messages.prune")
def prune() -> None:
    """Erase messages that were kept for as long as the setting says."""
    retention.prune_messages()
