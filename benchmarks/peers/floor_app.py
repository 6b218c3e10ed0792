"""The floor: the same bytes as ours, under the same server, from memory. No framework can do less.

FLOOR_ANSWERS=file gunicorn … benchmarks.peers.floor_app:app
"""

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

Answer = tuple[str, list[tuple[str, str]], list[bytes]]


def _read() -> dict[str, Answer]:
    """By method, path with its query, and whether If-None-Match was given."""
    told = json.loads(Path(os.environ["FLOOR_ANSWERS"]).read_text())
    return {
        key: (status, [tuple(pair) for pair in headers], [body.encode()])
        for key, (status, headers, body) in told.items()
    }


ANSWERS = _read()


def app(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Answer what was recorded."""
    query = environ["QUERY_STRING"]
    path = f"{environ['PATH_INFO']}?{query}" if query else environ["PATH_INFO"]
    condition = " if-none-match" if "HTTP_IF_NONE_MATCH" in environ else ""
    if environ["REQUEST_METHOD"] == "POST":
        environ["wsgi.input"].read()
    status, headers, body = ANSWERS[f"{environ['REQUEST_METHOD']} {path}{condition}"]
    start_response(status, headers)
    return body
