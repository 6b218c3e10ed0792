"""Tasks about messages."""

import time
from collections import deque

from celery import Task

from crm.hints import hints
from crm.jobs import DELIVER, Job
from crm.queue import celery, count_waiting_jobs
from crm.services import delivery, outcomes, recovery, retention
from workers.logs import logged

SLOW = 0.25
"""Seconds after which the messages left of a job go on as jobs of their own: behind a slow gateway
they would wait for each other, where other threads have nothing to do."""


@celery.task(name=DELIVER, bind=True)
def deliver(task: "Task[..., None]", *message_ids: int) -> None:
    """Try to hand queued messages to the gateway, one after the other."""
    waiting, until = deque(message_ids), time.monotonic() + SLOW
    try:
        while waiting and time.monotonic() < until:
            message_id = waiting.popleft()
            with logged(message_id=message_id) as line:
                line["outcome"] = delivery.deliver_message(message_id)
    finally:
        priority = (task.request.delivery_info or {}).get("priority") or 0
        hints.send([Job(DELIVER, (left,), priority=priority) for left in waiting], [])


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
