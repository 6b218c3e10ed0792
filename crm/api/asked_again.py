"""Answers whoever asks for the same list again, in the same words, before Flask.

Browsers and scripts ask for a few lists over and over, and of an answer from memory Flask with all
that is asked of each request was nine parts in ten. Flask has just decided that this very request,
header by header, may have its list: for as long as the caller is remembered it need not decide
anew. Only what says who asks for what is kept, never the rows.
"""

import hashlib
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from flask import Flask, g, request

from config.request_ids import choose_request_id
from crm.api.callers import REMEMBERED, known_callers
from crm.api.limits import limiter
from crm.api.lists import JSON, ListRequest
from crm.api.tracing import note_answer
from crm.queries.callers import Caller

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MOST_KEPT = 4096
ASKED = "crm.asked"
"""Where in a WSGI environment a view leaves what it was asked for."""
TOLD_BY = frozenset({
    "REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_LENGTH", "REMOTE_ADDR",
    "SERVER_NAME", "SERVER_PORT", "wsgi.url_scheme",
})  # fmt: skip
"""What Flask goes by beside the headers."""
OF_ONE_ANSWER = frozenset({
    "content-type", "content-length", "etag", "x-stream-cursor", "cache-control", "link",
    "set-cookie", "x-request-id",
})  # fmt: skip
"""Headers that another answer does not share; a session's cookie is renewed by Flask alone."""


@dataclass(frozen=True, slots=True)
class Permitted:
    """A list that Flask answered, to whom, and the headers that all its answers have."""

    asked: ListRequest
    caller: Caller | None
    headers: dict[str, str]
    until: float


def may_be_asked_again(asked: ListRequest) -> None:
    """Called by a view that everybody who may call it answers alike."""
    request.environ[ASKED] = asked, g.get("caller")


class AskedAgain:
    """In front of Flask, which gets all that was not asked a moment ago."""

    def __init__(self, app: Flask) -> None:
        self._app, self._flask = app, app.wsgi_app
        self._lock = threading.Lock()
        self._permitted: dict[bytes, Permitted] = {}

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "GET":
            return self._flask(environ, start_response)
        started, words = time.perf_counter(), _words_of(environ)
        permitted = self._permitted.get(words)
        answer = self._answer(permitted) if permitted else None
        if permitted is None or answer is None:
            return self._ask_flask(words, environ, start_response)
        headers, body = answer
        request_id = choose_request_id(environ.get("HTTP_X_REQUEST_ID", ""))
        headers["X-Request-ID"] = request_id
        note_answer(
            method="GET",
            path=permitted.asked.path,
            status=304 if body is None else 200,
            started=started,
            request_id=request_id,
        )
        start_response("304 NOT MODIFIED" if body is None else "200 OK", [*headers.items()])
        return [body] if body else []

    def _answer(self, permitted: Permitted) -> tuple[dict[str, str], bytes | None] | None:
        """The headers and body that Flask would answer with; None where Flask is to be asked."""
        if not self._is_still_permitted(permitted):
            return None
        try:
            with self._app.app_context():
                answer = permitted.asked.answer()
        except Exception:  # whatever it is, Flask meets it too and knows what to say
            return None
        headers = permitted.headers | answer.headers
        if answer.body is None:
            return headers, None
        if isinstance(answer.body, bytes):
            told = {"Content-Type": JSON, "Content-Length": str(len(answer.body))}
            return headers | told, answer.body
        answer.body.close()
        return None

    def _is_still_permitted(self, permitted: Permitted) -> bool:
        if permitted.until < time.monotonic():
            return False
        must_sign_in = self._app.config["AUTH_REQUIRED"]
        if permitted.caller is None:
            return not must_sign_in
        if not known_callers.still_knows(permitted.caller):
            return False
        return not must_sign_in or limiter.count(permitted.caller, self._app.config["RATE_LIMIT"])

    def _ask_flask(
        self, words: bytes, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        told: list[tuple[str, str]] = []

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            told[:] = headers
            return start_response(status, headers, *rest)

        body = self._flask(environ, start)
        if ASKED in environ:
            asked, caller = environ[ASKED]
            headers = {name: text for name, text in told if name.lower() not in OF_ONE_ANSWER}
            self._keep(words, Permitted(asked, caller, headers, time.monotonic() + REMEMBERED))
        return body

    def _keep(self, words: bytes, permitted: Permitted) -> None:
        with self._lock:
            if len(self._permitted) >= MOST_KEPT:
                self._permitted.clear()
            self._permitted[words] = permitted


def _words_of(environ: "WSGIEnvironment") -> bytes:
    """All that a request says, as a hash, since that may be a token or a cookie."""
    said = [
        (name, text)
        for name, text in environ.items()
        if name in TOLD_BY or (name.startswith("HTTP_") and name != "HTTP_X_REQUEST_ID")
    ]
    return hashlib.blake2b(orjson.dumps(said), digest_size=16).digest()
