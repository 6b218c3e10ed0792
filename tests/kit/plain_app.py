"""A WSGI application that tells what it was asked, for tests of the server in front of it."""

import time
from collections.abc import Iterable
from typing import Any

SLOW = "/slow"
SLOW_FOR = 0.3


def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """The path, and the body behind it; `/slow` takes its time."""
    if environ["PATH_INFO"] == SLOW:
        time.sleep(SLOW_FOR)
    body = environ["PATH_INFO"].encode() + environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
