"""The circuit breaker before the gateway: while it is away, messages wait and use up no try.

Closed: every claim passes. After `OPEN_AFTER` sends in a row that the gateway did not take it
opens for `PROBE_EVERY`; then one message goes first. Its success closes the breaker again.

Rows are locked in one order everywhere: customer, message, and this row last.
"""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.models import GatewayLink

LINK_ID = 1
OPEN_AFTER = 3
PROBE_EVERY = timedelta(seconds=2)

_OPEN_UNTIL = select(GatewayLink.open_until)
_REFUSALS = select(GatewayLink.refusals)


def may_pass(session: Session, moment: datetime, *, count: int) -> bool:
    """Whether so many messages may be claimed now; passing an open breaker takes the one probe."""
    if open_until(session) is None:
        return True
    link = lock_link(session)
    if link.open_until is None:
        return True
    if link.open_until > moment or count > 1:
        return False
    link.open_until = moment + PROBE_EVERY
    return True


def note_refusal(session: Session, moment: datetime, reason: str) -> None:
    """The gateway did not take a message; enough of that in a row opens the breaker."""
    link = lock_link(session)
    link.refusals += 1
    link.reason = reason
    if link.refusals >= OPEN_AFTER:
        link.open_until = moment + PROBE_EVERY


def note_answer(session: Session) -> None:
    """The gateway answered: close the breaker."""
    if session.connection().scalar(_REFUSALS):
        link = lock_link(session)
        link.refusals, link.open_until, link.reason = 0, None, None


def open_reason(session: Session) -> str | None:
    """Why messages wait, or None while the breaker is closed."""
    return session.scalar(select(GatewayLink.reason).where(GatewayLink.open_until.is_not(None)))


def is_open(session: Session, moment: datetime) -> bool:
    """Whether no message may be claimed at this moment."""
    until = open_until(session)
    return until is not None and until > moment


def open_until(session: Session) -> datetime | None:
    """When the next probe may go, or None while the breaker is closed."""
    return session.connection().scalar(_OPEN_UNTIL)


def lock_link(session: Session) -> GatewayLink:
    """The one row about the gateway, held until the commit."""
    link = session.get(GatewayLink, LINK_ID, with_for_update=True)
    if link is None:
        raise RuntimeError("the migrations put one row into gateway_link")
    return link
