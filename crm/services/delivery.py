"""Handing queued messages to the gateway: claim, call, settle.

Three steps, two transactions for all that go together, and none open while the gateway is called.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import structlog
from structlog.contextvars import bound_contextvars

from crm.gateway_errors import GatewayRefusedError, GatewayTemporaryError, GatewayUnreachableError
from crm.services.claims import Claim, claim_messages
from crm.services.handover import Answer, NotBegunError, hand_over
from crm.services.settlement import (
    settle_accepted,
    settle_failure,
    settle_not_begun,
    settle_refusal,
    settle_unreachable,
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the try to deliver one message ended; `outcome` is its name for the log."""

    message_id: int
    outcome: str
    request_id: str = "-"


def deliver_messages(message_ids: Sequence[int]) -> Iterator[Delivery]:
    """Claim messages, hand them to the gateway, and write down how that went, one by one.

    Every outcome of the gateway's is stored, so none is raised. Of other faults each is logged, and
    one raised once all others are settled; their messages come again when their leases run out.
    """
    message_ids = list(dict.fromkeys(message_ids))  # a job may bring one twice
    claims = claim_messages(message_ids)
    claimed = {claim.message_id for claim in claims}
    yield from (Delivery(one, "not_due") for one in message_ids if one not in claimed)
    faults: list[Exception] = []
    for answers in hand_over(claims) if claims else ():
        for part in _apart(answers):
            try:
                yield from _settle(part)
            except Exception as fault:  # one that cannot be settled must not hold up the rest
                faults.append(fault)
                yield from _leave(part, fault)
    if faults:
        raise faults[0]


def _apart(answers: Sequence[Answer]) -> Iterator[list[Answer]]:
    """All that were taken together, since they cost one transaction; the others singly."""
    taken = [answer for answer in answers if answer[1] is None]
    if taken:
        yield taken
    yield from ([answer] for answer in answers if answer[1] is not None)


def _settle(answers: Sequence[Answer]) -> Iterator[Delivery]:
    claim, error = answers[0]
    if error is None:
        claims = [claim for claim, _ in answers]
        outcomes = settle_accepted(claims)
    else:
        claims = [claim]
        with bound_contextvars(request_id=claim.request_id):
            outcomes = {claim.message_id: _settle_error(claim, error)}
    for claim in claims:
        yield Delivery(claim.message_id, outcomes[claim.message_id], claim.request_id)


def _leave(answers: Sequence[Answer], fault: Exception) -> Iterator[Delivery]:
    """Name the fault of each: only one can be raised, and none says which messages it was."""
    message_ids = [claim.message_id for claim, _ in answers]
    log.error("not_settled", message_ids=message_ids, exc_info=fault)
    for claim, _ in answers:
        yield Delivery(claim.message_id, type(fault).__name__, claim.request_id)


def _settle_error(claim: Claim, error: Exception) -> str:
    match error:
        case NotBegunError():
            return settle_not_begun(claim)
        case GatewayUnreachableError():
            return settle_unreachable(claim, error)
        case GatewayTemporaryError():
            return settle_failure(claim, error)
        case GatewayRefusedError():
            return settle_refusal(claim, error)
        case _:
            raise error
