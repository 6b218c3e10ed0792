"""What can go wrong with the WhatsApp gateway; each error carries the decision.

    GatewayError
    ├── GatewayUnreachableError  nothing was handed over: not a try, wait for its return
    ├── GatewayTemporaryError    counts as a try; `maybe_written`: it may have gone out all the same
    └── GatewayRefusedError      never try this again by itself

Source of the rules: docs/architecture.md, "Sending".
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

MAX_RETRY_AFTER = 60.0
NEVER_WRITTEN = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.InvalidURL,
)
"""Faults before the first byte left."""
TEMPORARY_REFUSALS = frozenset({401, 403, 408, 425, 429})
"""Answers of a gateway that took nothing, and may take it later."""


class GatewayError(Exception):
    """A call to the gateway did not succeed; the text is shown to agents."""

    def __init__(self, reason: str, *, code: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


class GatewayUnreachableError(GatewayError):
    """It cannot be reached, or says that it is not connected (503)."""


class GatewayTemporaryError(GatewayError):
    """It failed in a way that may pass; `retry_after` is its own wish in seconds, or 0."""

    def __init__(
        self, reason: str, *, code: str, maybe_written: bool, retry_after: float = 0.0
    ) -> None:
        super().__init__(reason, code=code)
        self.maybe_written = maybe_written
        self.retry_after = retry_after


class GatewayRefusedError(GatewayError):
    """It says that this request can never succeed."""


@contextmanager
def as_gateway_errors() -> Iterator[None]:
    try:
        yield
    except NEVER_WRITTEN as error:
        raise GatewayUnreachableError(
            "The WhatsApp gateway cannot be reached.", code="unreachable"
        ) from error
    except httpx.TimeoutException as error:
        raise _unclear("The WhatsApp gateway did not answer in time.", "timeout") from error
    except httpx.HTTPError as error:
        raise _unclear("The WhatsApp gateway's answer was broken.", "broken") from error


def _unclear(reason: str, code: str) -> GatewayTemporaryError:
    return GatewayTemporaryError(reason, code=code, maybe_written=True)


def refusal(status: int, answer: Mapping[str, Any]) -> GatewayError:
    """The error that a status other than 2xx means. Body text is the gateway's, so it is cut."""
    code = str(status)
    detail = str(answer.get("detail") or "")[:300]
    reason = f"The WhatsApp gateway answered {status}" + (f": {detail}" if detail else ".")
    if status == 503:
        return GatewayUnreachableError(reason, code=code)
    if status in TEMPORARY_REFUSALS:
        wish = _seconds(answer.get("retry_after"))
        return GatewayTemporaryError(reason, code=code, maybe_written=False, retry_after=wish)
    if 400 <= status < 500:
        return GatewayRefusedError(reason, code=code)
    return GatewayTemporaryError(reason, code=code, maybe_written=True)


def _seconds(value: object) -> float:
    text = str(value or "")
    return min(float(text), MAX_RETRY_AFTER) if text.isdecimal() else 0.0
