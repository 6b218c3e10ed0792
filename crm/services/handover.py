"""Calls of the gateway for the messages of one job, side by side where it is slow.

A quick gateway is served by one thread, since to change threads costs as much as a call. One that
takes its time is called for the others meanwhile, so that no message waits for another's answer.
"""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue

from crm.gateway_client import gateway
from crm.services.claims import Claim

MOST_CALLS = 16
"""At once in one process: what stalls uses up the try of no more messages than that."""
QUICK = 0.01
"""Seconds that one thread has for all of them before others help."""
SETTLE_EVERY = 0.1
"""Seconds that an answer waits for the others', to be written down with them."""

_callers = ThreadPoolExecutor(MOST_CALLS, thread_name_prefix="gateway")

Answer = tuple[Claim, Exception | None]
"""A claim and how its call ended: None where the gateway took the message."""


class NotBegunError(Exception):
    """No call was made: it might have outlived the lease."""


def hand_over(claims: Sequence[Claim]) -> Iterator[list[Answer]]:
    """Call the gateway for each of these; yields the answers in groups, as they come."""
    if len(claims) == 1:
        yield [(claims[0], _call(claims[0]))]
        return
    waiting, answers = deque(claims), SimpleQueue[Answer]()

    def work() -> None:
        while waiting:
            try:
                claim = waiting.popleft()
            except IndexError:  # another one was quicker
                return
            answers.put((claim, _call(claim)))

    _callers.submit(work)
    left = len(claims)
    group = _gather(answers, left, QUICK)
    for _ in range(len(waiting)):
        _callers.submit(work)
    while left:
        group += _gather(answers, left - len(group), SETTLE_EVERY)
        if group:
            yield group
        left -= len(group)
        group = []


def _gather(answers: "SimpleQueue[Answer]", wanted: int, patience: float) -> list[Answer]:
    """So many answers, or those that came in time."""
    group: list[Answer] = []
    until = time.monotonic() + patience
    while len(group) < wanted:
        try:
            group.append(answers.get(timeout=max(0.0, until - time.monotonic())))
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
