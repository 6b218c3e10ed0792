"""One function per background job. Jobs are sent by name; `workers/` has a task of each name.

A job is a hint: its arguments are ids only, and losing it loses nothing but time, because the
rows say what must happen next and the sweep reads them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

STEP = 3
MOST_TOGETHER = 10
"""Messages of one job: enough to share what a job costs, few enough to be handed over at once."""


@dataclass(frozen=True, slots=True)
class Job:
    """The name of a task and its arguments."""

    name: str
    args: tuple[int, ...] = ()
    priority: int = 0
    """0 first. A queue on Redis keeps four steps apart: 0, 3, 6, 9."""
    may_join: bool = False
    """Whether its arguments may go with those of others that are alike."""


def deliver_message(message_id: int, *, priority: int = 0, alone: bool = False) -> Job:
    """Try to hand one queued message to the gateway, after all those of a lower `priority`.

    Found waiting with others it goes with them, unless it is to go `alone`.
    """
    return Job("messages.deliver", (message_id,), priority=STEP * priority, may_join=not alone)


def check_accepted(message_id: int) -> Job:
    """Ask the gateway about a message that it accepted and never spoke of again."""
    return Job("messages.check_accepted", (message_id,))


def erase_at_gateway(erasure_id: int) -> Job:
    """Tell the gateway to erase what it keeps of a deleted customer."""
    return Job("customers.erase_at_gateway", (erasure_id,))


def tell_read(customer_id: int, first_id: int, last_id: int) -> Job:
    """Let a customer know that an agent has read these messages; lost, they never learn it."""
    return Job("customers.tell_read", (customer_id, first_id, last_id))


ALL = (deliver_message, check_accepted, erase_at_gateway, tell_read)
"""Every job; a wiring test compares it with the tasks."""


def joined(waiting: Sequence[Job]) -> Iterator[Job]:
    """The same work in fewer jobs; those of one kind and priority keep their order."""
    together: dict[tuple[str, int], Job] = {}
    for job in waiting:
        if not job.may_join:
            yield job
            continue
        kind = job.name, job.priority
        mates = together.get(kind) or replace(job, args=())
        if len(mates.args) + len(job.args) > MOST_TOGETHER:
            yield mates
            mates = replace(job, args=())
        together[kind] = replace(mates, args=mates.args + job.args)
    yield from together.values()
