"""The WhatsApp gateway over HTTP. Every call raises a `GatewayError` where it does not succeed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from crm.deadlines import DeadlineTransport, deadline
from crm.gateway_errors import as_gateway_errors, refusal

TIMEOUT = httpx.Timeout(5.0, connect=2.0)
DEADLINE = 10.0
"""Seconds for one whole answer, however slowly the bytes drip; less where the lease is shorter."""
LIMITS = httpx.Limits(max_connections=64, max_keepalive_connections=16)
MAX_ANSWER = 64 * 1024
MAX_TEMPLATES = 8 * 1024 * 1024
"""Bytes of all templates of an account; any other answer is short."""
SAYS_NOTHING = frozenset({404, 405, 501})
"""Answers of a gateway that has no such endpoint, or nothing to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendOrder:
    """One attempt at one message. `template` is sent in place of the text."""

    to: str
    message: str
    backend_message_id: int
    attempt: int
    template: Mapping[str, Any] | None
    bulk: bool

    def to_body(self) -> dict[str, Any]:
        """The JSON of `POST /send`."""
        body: dict[str, Any] = {
            "to": self.to,
            "message": self.message,
            "backend_message_id": self.backend_message_id,
            "attempt": self.attempt,
        }
        # Said only where they are meant: any gateway of the API document takes the rest.
        if self.template:
            body["template"] = self.template
        if self.bulk:
            body["priority"] = "bulk"
        return body


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

    @property
    def deadline(self) -> float:
        """Seconds for one whole answer."""
        return self._deadline

    def send(self, order: SendOrder, *, request_id: str, seconds: float | None = None) -> None:
        """Hand one message over, within so many seconds. Returns when the gateway has it."""
        status, answer = self._call(
            "POST", "/send", body=order.to_body(), request_id=request_id, seconds=seconds
        )
        if not 200 <= status < 300:
            raise refusal(status, answer)

    def find_message(self, backend_message_id: int) -> dict[str, Any] | None:
        """What the gateway says of a message, or None where it says nothing."""
        status, answer = self._call("GET", f"/messages/{backend_message_id}")
        if status in SAYS_NOTHING:
            return None
        if status != 200:
            raise refusal(status, answer)
        return answer

    def fetch_status(self) -> dict[str, Any]:
        """The gateway's `/status`."""
        return self._fetch("/status")

    def fetch_qr(self) -> dict[str, Any]:
        """The gateway's `/qr`."""
        return self._fetch("/qr")

    def renew_qr(self) -> dict[str, Any]:
        """Begin a new round of codes; `/qr` as it is then, at first often still without one."""
        status, answer = self._call("POST", "/qr")
        # A line whose codes need no asking for has no such endpoint.
        if not 200 <= status < 300 and status not in SAYS_NOTHING:
            raise refusal(status, answer)
        return self.fetch_qr()

    def fetch_templates(self) -> list[dict[str, Any]]:
        """The gateway's `/templates`; none where it has no such endpoint."""
        status, answer = self._call("GET", "/templates", longest=MAX_TEMPLATES)
        if status in SAYS_NOTHING:
            return []
        if status != 200:
            raise refusal(status, answer)
        templates = answer.get("templates")
        return (
            [told for told in templates if isinstance(told, dict)]
            if isinstance(templates, list)
            else []
        )

    def open_file(self, path: str, *, headers: Mapping[str, str]) -> "GatewayFile":
        """A file of the gateway's, its bytes still to come. Raises a `GatewayError`."""
        if self._client is None:
            raise RuntimeError("init_app() was not called")
        # Not compressed, so that the length that was told stays true.
        plain = {"Accept-Encoding": "identity"}
        request = self._client.build_request("GET", path, headers={**headers, **plain})
        with as_gateway_errors(), deadline(self._deadline):
            response = self._client.send(request, stream=True)
        if response.status_code >= 500:
            response.close()
            raise refusal(response.status_code, {})
        return GatewayFile(response)

    def mark_read(self, to: str, whatsapp_ids: Sequence[str]) -> None:
        """Have the gateway tell the customer that these messages were read."""
        body = {"to": to, "whatsapp_ids": list(whatsapp_ids)}
        status, answer = self._call("POST", "/read", body=body)
        if not 200 <= status < 300 and status not in SAYS_NOTHING:
            raise refusal(status, answer)

    def erase(self, to: str) -> None:
        """Have the gateway erase its copies of a customer's texts."""
        status, answer = self._call("POST", "/erase", body={"to": to})
        if not 200 <= status < 300 and status not in SAYS_NOTHING:
            raise refusal(status, answer)

    def _fetch(self, path: str) -> dict[str, Any]:
        status, answer = self._call("GET", path)
        if status != 200:
            raise refusal(status, answer)
        return answer

    def _call(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        request_id: str = "",
        seconds: float | None = None,
        longest: int = MAX_ANSWER,
    ) -> tuple[int, dict[str, Any]]:
        if self._client is None:
            raise RuntimeError("init_app() was not called")
        headers = {"X-Request-ID": request_id} if request_id else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        content = orjson.dumps(body) if body is not None else None
        with (
            as_gateway_errors(),
            deadline(self._deadline if seconds is None else seconds),
            self._client.stream(method, path, content=content, headers=headers) as response,
        ):
            return response.status_code, _read(response, longest)


class GatewayFile:
    """An open answer of the gateway: its head, and its bytes as they come."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.status = response.status_code
        self.headers = response.headers
        self.close = response.close

    def chunks(self) -> Iterator[bytes]:
        """The bytes as they were sent. A reader that goes away only has to close."""
        yield from self._response.iter_bytes()


def _read(response: httpx.Response, longest: int) -> dict[str, Any]:
    """The answer's JSON object; an empty one where the body is something else."""
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > longest:
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


gateway = GatewayClient()
"""This process's client."""
