"""A worker that dies at a named point of one job: `python -m tests.workers.killed_at`.

Arguments: the point and the ids of the job's messages. Only this process is wrapped; the product
has no hooks.
"""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import event

from crm.extensions import db
from crm.factory import create_app
from crm.gateway_client import gateway
from crm.hints import hints
from crm.services import delivery, handover
from crm.services.claims import Claim


def die(*_: Any, **__: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


class DieAt:
    """Lets so many calls pass, and dies at the next; the claim comes first, then the settling."""

    def __init__(self, call: int) -> None:
        self._left = call

    def __call__(self, *_: Any, **__: Any) -> None:
        self._left -= 1
        if self._left == 0:
            die()


def one_by_one(claims: Sequence[Claim]) -> Iterator[list[handover.Answer]]:
    """The same answers, each of which is written down for itself."""
    for answers in handover.hand_over(claims):
        yield from ([answer] for answer in sorted(answers, key=lambda told: told[0].message_id))


def arm(point: str) -> None:
    """Make this process die there."""
    if point == "in the claim before its commit":
        event.listen(db.engine, "commit", DieAt(1))
    elif point == "after the claim before the call":
        gateway.send = die  # type: ignore[method-assign]
    elif point == "after the answer before settling":
        delivery.settle_accepted = die
    elif point == "in the settling before its commit":
        event.listen(db.engine, "commit", DieAt(2))
    elif point == "between two settlings":
        delivery.hand_over = one_by_one
        event.listen(db.engine, "commit", DieAt(3))
    elif point == "after the settling before its hints":
        hints.send = DieAt(2)  # type: ignore[method-assign]
    elif point != "after the call before the answer":  # there the test kills it from outside
        raise SystemExit(f"no such point: {point}")


def main() -> None:
    point, message_ids = sys.argv[1], [int(each) for each in sys.argv[2:]]
    handover.SETTLE_EVERY = 60.0  # all at once, on however slow a machine
    app = create_app()
    with app.app_context():
        arm(point)
        print(list(delivery.deliver_messages(message_ids)), flush=True)


if __name__ == "__main__":
    main()
