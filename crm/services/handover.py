"""Calls of the gateway for the messages of one job, side by side where it is slow.

A quick gateway is served by one thread, since to change threads costs as much as a call. One that
takes its time is called for the others meanwhile, so that no message waits for another's answer.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from queue import Empty, SimpleQueue

import structlog

from crm.gateway_client import gateway
from crm.services.claims import Claim

log = structlog.get_logger(__name__)

MOST_CALLS = 16
"""At once in one process for jobs of several: what stalls uses up the try of no more than that.

A message that has a job to itself is called for beside these, by the thread that runs the job.
"""
QUICK = 0.01
"""Seconds that one thread has for all of them before others help."""
SETTLE_EVERY = 0.1
"""Seconds that an answer waits for the others', to be written down with them."""

_callers = ThreadPoolExecutor(MOST_CALLS, thread_name_prefix="gateway")

Answer = tuple[Claim, Exception | None]
"""A claim and how its call ended: None where the gateway took the message."""
Ending = tuple[Claim, BaseException | None]
"""The same, and what is no `Exception`: it tells nothing of the message."""


class NotBegunError(Exception):
    """No call was made: it might have outlived the lease."""


def hand_over(claims: Sequence[Claim]) -> Iterator[list[Answer]]:
    """Call the gateway for each of these; yields the answers in groups, as they come.

    What is no `Exception` is raised once all answers are told; its message is left to its lease.
    """
    if len(claims) == 1:
        yield [(claims[0], _call(claims[0]))]
        return
    stops: list[BaseException] = []
    for group in _call_together(claims):
        answers = list(_answers(group, stops))
        if answers:
            yield answers
    if stops:
        raise stops[0]


def _call_together(claims: Sequence[Claim]) -> Iterator[list[Ending]]:
    waiting, endings = deque(claims), SimpleQueue[Ending]()
    work = partial(_work, waiting, endings)
    if not _lend_thread(work):
        work()
    left = len(claims)
    group = _gather(endings, left, QUICK)
    for _ in range(len(waiting)):
        _lend_thread(work)  # where there is none, the first goes on alone
    while left:
        group += _gather(endings, left - len(group), SETTLE_EVERY)
        if group:
            yield group
        left -= len(group)
        group = []


def _work(waiting: deque[Claim], endings: "SimpleQueue[Ending]") -> None:
    """Call for what waits, until there is no more; several threads do so at once."""
    while waiting:
        try:
            claim = waiting.popleft()
        except IndexError:  # another one was quicker
            return
        try:
            endings.put((claim, _call(claim)))
        except BaseException as stop:  # kept by the pool, it would be waited for for ever
            endings.put((claim, stop))


def _lend_thread(work: Callable[[], None]) -> bool:
    """Have a thread of the pool do this; False where none can be started, or the process ends."""
    try:
        _callers.submit(work)
    except RuntimeError:
        return False
    return True


def _answers(group: Sequence[Ending], stops: list[BaseException]) -> Iterator[Answer]:
    for claim, ending in group:
        if ending is None or isinstance(ending, Exception):
            yield claim, ending
        else:
            log.error("call_stopped", message_id=claim.message_id, exc_info=ending)
            stops.append(ending)


def _gather(endings: "SimpleQueue[Ending]", wanted: int, patience: float) -> list[Ending]:
    """So many calls that ended, or those that did in time."""
    group: list[Ending] = []
    until = time.monotonic() + patience
    while len(group) < wanted:
        try:
            group.append(endings.get(timeout=max(0.0, until - time.monotonic())))
        except Empty:
            break
    return group


def _call(claim: Claim) -> Exception | None:
    limit = gateway.deadline
    left = claim.taken_at + limit - time.monotonic()
    # What waited so long, behind a gateway that stalls or in a process that was frozen, would
    # have no time left for an answer.
    if left < limit / 2:
        return NotBegunError()
    try:
        gateway.send(claim.order, request_id=claim.request_id, seconds=left)
    except Exception as error:  # whoever settles it knows which
        return error
    return None
