"""The WhatsApp gateway over HTTP, and its errors, each of which carries the decision.

    GatewayError
    ├── GatewayUnreachableError  nothing was handed over: not a try, wait for its return
    ├── GatewayTemporaryError    counts as a try; `maybe_written`: it may have gone out all the same
    └── GatewayRefusedError      never try this again by itself

Source of the rules: docs/architecture.md, "Sending".
"""

from collections.abc import Mapping
from typing import Any

import httpx
import orjson

from crm.deadlines import DeadlineTransport, deadline

TIMEOUT = httpx.Timeout(5.0, connect=2.0)
DEADLINE = 10.0
"""Seconds for one whole answer, however slowly the bytes drip; less where the lease is shorter."""
LIMITS = httpx.Limits(max_connections=64, max_keepalive_connections=16)
MAX_ANSWER = 64 * 1024
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
SAYS_NOTHING = frozenset({404, 405, 501})
"""Answers of a gateway that has no such endpoint, or nothing to say."""
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


class GatewayClient:
    """Calls of the gateway; bound by the factory. Tests replace `transport`."""

    def __init__(self) -> None:
        self._client: httpx.Client | None = None
        self._deadline = DEADLINE

    def init_app(
        self,
        *,
        base_url: str,
        token: str | None,
        deadline: float = DEADLINE,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Point the client at a gateway. Opens no connection."""
        self._deadline = deadline
        self._client = httpx.Client(
            base_url=base_url,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=TIMEOUT,
            follow_redirects=False,
            trust_env=False,
            transport=transport or DeadlineTransport(limits=LIMITS),
        )

    def send(
        self, *, to: str, message: str, backend_message_id: int, attempt: int, request_id: str
    ) -> None:
        """Hand one message over. Returns when the gateway has it; raises a `GatewayError`."""
        body = {
            "to": to,
            "message": message,
            "backend_message_id": backend_message_id,
            "attempt": attempt,
        }
        status, answer = self._call("POST", "/send", body=body, request_id=request_id)
        if not 200 <= status < 300:
            raise _refusal(status, answer)

    def find_message(self, backend_message_id: int) -> dict[str, Any] | None:
        """What the gateway says of a message, or None where it says nothing."""
        status, answer = self._call("GET", f"/messages/{backend_message_id}")
        if status in SAYS_NOTHING:
            return None
        if status != 200:
            raise _refusal(status, answer)
        return answer

    def fetch_status(self) -> dict[str, Any]:
        """The gateway's `/status`."""
        return self._fetch("/status")

    def fetch_qr(self) -> dict[str, Any]:
        """The gateway's `/qr`."""
        return self._fetch("/qr")

    def erase(self, to: str) -> None:
        """Have the gateway erase its copies of a customer's texts."""
        status, answer = self._call("POST", "/erase", body={"to": to})
        if not 200 <= status < 300 and status not in SAYS_NOTHING:
            raise _refusal(status, answer)

    def _fetch(self, path: str) -> dict[str, Any]:
        status, answer = self._call("GET", path)
        if status != 200:
            raise _refusal(status, answer)
        return answer

    def _call(
        self, method: str, path: str, *, body: Mapping[str, Any] | None = None, request_id: str = ""
    ) -> tuple[int, dict[str, Any]]:
        if self._client is None:
            raise RuntimeError("init_app() was not called")
        headers = {"X-Request-ID": request_id} if request_id else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        content = orjson.dumps(body) if body is not None else None
        try:
            with (
                deadline(self._deadline),
                self._client.stream(method, path, content=content, headers=headers) as response,
            ):
                return response.status_code, _read(response)
        except NEVER_WRITTEN as error:
            raise GatewayUnreachableError(
                "The WhatsApp gateway cannot be reached.", code="unreachable"
            ) from error
        except httpx.TimeoutException as error:
            raise _unclear("The WhatsApp gateway did not answer in time.", "timeout") from error
        except httpx.HTTPError as error:
            raise _unclear("The WhatsApp gateway's answer was broken.", "broken") from error


def _read(response: httpx.Response) -> dict[str, Any]:
    """The answer's JSON object; an empty one where the body is something else."""
    body = b""
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MAX_ANSWER:
            raise httpx.RemoteProtocolError("the answer is too long")
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    if not isinstance(answer, dict):
        return {}
    # PostgreSQL stores no NUL, and what the gateway says is shown to agents.
    answer = {
        name: value.replace("\0", "\ufffd") if isinstance(value, str) else value
        for name, value in answer.items()
    }
    if "Retry-After" in response.headers:
        answer["retry_after"] = response.headers["Retry-After"]
    return answer


def _unclear(reason: str, code: str) -> GatewayTemporaryError:
    return GatewayTemporaryError(reason, code=code, maybe_written=True)


def _refusal(status: int, answer: Mapping[str, Any]) -> GatewayError:
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


gateway = GatewayClient()
"""This process's client."""
