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
from werkzeug.wsgi import ClosingIterator

from config.request_ids import choose_request_id
from crm.api.known_callers import REMEMBERED, known_callers
from crm.api.limits import limiter
from crm.api.lists import JSON, ListAnswer, ListRequest
from crm.api.tracing import note_answer
from crm.queries.callers import Caller
from crm.queries.pages import chunks

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MOST_KEPT = 1024
ASKED = "crm.asked"
"""Where in a WSGI environment a view leaves what it was asked for."""
TOLD_BY = frozenset({
    "REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_LENGTH", "CONTENT_TYPE",
    "REMOTE_ADDR", "REMOTE_USER", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL",
    "wsgi.url_scheme",
})  # fmt: skip
"""What Flask goes by beside the headers."""
OF_ONE_ANSWER = frozenset({
    "content-type", "content-length", "etag", "x-stream-cursor", "cache-control", "link",
    "set-cookie", "x-request-id",
})  # fmt: skip
"""Headers that another answer does not share; a session's cookie is renewed by Flask alone."""
STATUSES = {"200 OK", "304 NOT MODIFIED"}


@dataclass(frozen=True, slots=True)
class Permitted:
    """A list that Flask answered, to whom, and the headers that all its answers have."""

    asked: ListRequest
    caller: Caller | None
    headers: list[tuple[str, str]]
    """Pairs, since a name may be there twice."""
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
        app.extensions["asked_again"] = self

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
        request_id = choose_request_id(environ.get("HTTP_X_REQUEST_ID", ""))
        headers = [*answer.headers.items(), *permitted.headers, ("X-Request-ID", request_id)]
        status = 304 if answer.body is None else 200
        path = permitted.asked.path
        note_answer(method="GET", path=path, status=status, started=started, request_id=request_id)
        if answer.body is None:
            start_response("304 NOT MODIFIED", headers)
            return []
        if not isinstance(answer.body, bytes):
            start_response("200 OK", [("Content-Type", JSON), *headers])
            return ClosingIterator(chunks(answer.body), answer.body.close)
        described = [("Content-Type", JSON), ("Content-Length", str(len(answer.body)))]
        start_response("200 OK", described + headers)
        return [answer.body]

    def forget(self) -> None:
        """Have Flask asked about everybody."""
        with self._lock:
            self._permitted.clear()

    def _answer(self, permitted: Permitted) -> ListAnswer | None:
        """What Flask would answer, in memory; None where Flask is to be asked."""
        if not self._is_still_permitted(permitted):
            return None
        try:
            return permitted.asked.answer()
        except Exception:  # whatever it is, Flask meets it too and knows what to say
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
            told[:] = headers if status in STATUSES else []
            return start_response(status, headers, *rest)

        body = self._flask(environ, start)
        if ASKED in environ and told:
            asked, caller = environ[ASKED]
            headers = [(name, text) for name, text in told if name.lower() not in OF_ONE_ANSWER]
            self._keep(words, Permitted(asked, caller, headers, time.monotonic() + REMEMBERED))
        return body

    def _keep(self, words: bytes, permitted: Permitted) -> None:
        with self._lock:
            if len(self._permitted) >= MOST_KEPT:
                self._drop_what_is_over()
            self._permitted[words] = permitted

    def _drop_what_is_over(self) -> None:
        now = time.monotonic()
        kept = {words: one for words, one in self._permitted.items() if one.until > now}
        self._permitted = kept if len(kept) < MOST_KEPT else {}


def _words_of(environ: "WSGIEnvironment") -> bytes:
    """All that a request says, as a hash, since that may be a token or a cookie."""
    said = [
        (name, text)
        for name, text in environ.items()
        if name in TOLD_BY or (name.startswith("HTTP_") and name != "HTTP_X_REQUEST_ID")
    ]
    return hashlib.blake2b(orjson.dumps(said), digest_size=16).digest()
