"""One function per background job. Jobs are sent by name; `workers/` has a task of each name.

A job is a hint: its arguments are ids only, and losing it loses nothing but time, because the
rows say what must happen next and the sweep reads them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

DELIVER = "messages.deliver"
"""Takes any number of messages."""
STEP = 3
MOST_DELIVERIES = 8
"""Messages of one job at most; they go to the gateway one after the other."""


@dataclass(frozen=True, slots=True)
class Job:
    """The name of a task and its arguments."""

    name: str
    args: tuple[int, ...] = ()
    priority: int = 0
    """0 first. A queue on Redis keeps four steps apart: 0, 3, 6, 9."""


def deliver_message(message_id: int, *, priority: int = 0) -> Job:
    """Try to hand one queued message to the gateway, after all those of a lower `priority`."""
    return Job(DELIVER, (message_id,), priority=STEP * priority)


def check_accepted(message_id: int) -> Job:
    """Ask the gateway about a message that it accepted and never spoke of again."""
    return Job("messages.check_accepted", (message_id,))


def erase_at_gateway(erasure_id: int) -> Job:
    """Tell the gateway to erase what it keeps of a deleted customer."""
    return Job("customers.erase_at_gateway", (erasure_id,))


def tell_read(customer_id: int, first_id: int, last_id: int) -> Job:
    """Let a customer know that an agent has read these messages; lost, they never learn it."""
    return Job("customers.tell_read", (customer_id, first_id, last_id))


def merge(jobs: Sequence[Job]) -> list[Job]:
    """The same work in fewer jobs: those that deliver and have one priority go together, in order.

    To send a job takes longer than to store a message, and to receive one longer than to claim it.
    """
    merged: list[Job] = []
    ids: dict[int, list[int]] = {}
    for job in jobs:
        if job.name == DELIVER:
            ids.setdefault(job.priority, []).extend(job.args)
        else:
            merged.append(job)
    for priority, messages in sorted(ids.items()):
        for first in range(0, len(messages), MOST_DELIVERIES):
            some = tuple(messages[first : first + MOST_DELIVERIES])
            merged.append(Job(DELIVER, some, priority=priority))
    return merged


ALL = (deliver_message, check_accepted, erase_at_gateway, tell_read)
"""Every job; a wiring test compares it with the tasks."""
