"""What went wrong between us and the Graph API, sorted into the gateway's three kinds of error."""

from typing import Any

import httpx
from pywa.errors import WhatsAppError

from gateway.drivers.base import (
    DriverError,
    DriverState,
    PermanentError,
    TemporaryError,
    UnknownOutcomeError,
)
from gateway.drivers.cloud.codes import Action, find_rule
from gateway.texts import make_storable

NOTHING_WRITTEN = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
CONNECT_DELAY = 1.0
LONGEST_CONNECT_DELAY = 5.0
LONGEST_DELAY = 300.0
MAX_REASON = 500
"""Characters of Meta's own words that are kept."""
MOST_TRIES = 6
OVERLOADED = {408, 425, 429}


class AgainError(TemporaryError):
    """Nothing was sent. Repeated, `delay` doubles up to `longest`; after `most_tries` it is final.

    `holds_number`: every chat has to wait, not this one only.
    """

    def __init__(
        self,
        reason: str,
        *,
        delay: float,
        longest: float = LONGEST_DELAY,
        most_tries: int | None = None,
        holds_number: bool = False,
    ) -> None:
        super().__init__(reason, delay=delay)
        self.longest = longest
        self.most_tries = most_tries
        self.holds_number = holds_number


class AccountError(PermanentError):
    """WhatsApp takes nothing from us; `state` and `reason` say what a person has to do."""

    def __init__(self, code: str, reason: str, *, state: DriverState) -> None:
        super().__init__(code, reason, retryable=True)
        self.state = state


def from_transport(error: httpx.HTTPError) -> DriverError:
    """No answer: what was not written was not sent, of anything else nobody knows."""
    if isinstance(error, NOTHING_WRITTEN):
        return AgainError(
            "WhatsApp cannot be reached", delay=CONNECT_DELAY, longest=LONGEST_CONNECT_DELAY
        )
    return UnknownOutcomeError(f"no answer from WhatsApp ({type(error).__name__})")


def from_graph(error: WhatsAppError) -> DriverError:
    """An answer that says no."""
    status = error.status_code or 0
    # pywa makes an error of its own where the body has none, with the HTTP status as its code.
    if error.raw_response is not None and not _has_graph_error(error.raw_response):
        return _from_status(status)
    rule = find_rule(error.code)
    if status >= 500 and (rule is None or rule.is_vague):
        return UnknownOutcomeError(f"WhatsApp answered {status} with code {error.code}")
    return from_code(error.code, details=error.details or error.message)


def from_code(code: int, *, details: str | None) -> DriverError:
    """What the table says of a code; `details` are Meta's own words."""
    rule = find_rule(code)
    if rule is None:
        reason = make_storable(details or f"WhatsApp refused it with code {code}.")[:MAX_REASON]
        return PermanentError(str(code), reason, retryable=True)
    if rule.state is not None:
        return AccountError(str(code), rule.reason, state=rule.state)
    if rule.action is Action.NEVER:
        return PermanentError(str(code), rule.reason, retryable=rule.retryable)
    return AgainError(
        rule.reason.removesuffix("."),
        delay=rule.delay,
        most_tries=MOST_TRIES if rule.action is Action.RETRY else None,
        holds_number=rule.action is Action.WAIT_NUMBER,
    )


def _from_status(status: int) -> DriverError:
    """The answer of something before WhatsApp, or of WhatsApp falling over."""
    if status >= 500:
        return UnknownOutcomeError(f"WhatsApp answered {status} without saying why")
    if status in OVERLOADED:
        return AgainError(f"WhatsApp answered {status}", delay=5.0)
    return PermanentError(
        f"http_{status}",
        f"WhatsApp's address answered {status} without saying why.",
        retryable=True,
    )


def _has_graph_error(response: httpx.Response) -> bool:
    try:
        body: Any = response.json()
    except ValueError:
        return False
    return isinstance(body, dict) and isinstance(body.get("error"), dict)
