"""`X-Request-ID`: taken from the request when given, else made; in every answer and log line."""

import re

from flask import Flask, Response, g, request
from structlog.contextvars import bind_contextvars, unbind_contextvars

from gateway.notices import new_request_id

HEADER = "X-Request-ID"
ACCEPTABLE = re.compile(r"[\x21-\x7e]{1,128}")


def add_request_ids(app: Flask) -> None:
    app.before_request(_take)
    app.after_request(_give)
    app.teardown_request(_release)


def _take() -> None:
    given = request.headers.get(HEADER, "")
    g.request_id = given if ACCEPTABLE.fullmatch(given) else new_request_id()
    bind_contextvars(request_id=g.request_id)


def _give(response: Response) -> Response:
    response.headers[HEADER] = g.request_id
    return response


def _release(_error: BaseException | None) -> None:
    unbind_contextvars("request_id")
