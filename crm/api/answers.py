"""How views answer: JSON objects, and lists with their validators and cursors."""

import hashlib
from collections.abc import Callable, Mapping
from typing import IO, Any
from urllib.parse import urlencode

import orjson
from flask import Response, request

from crm.api.unchanged import MAX_BYTES, unchanged
from crm.queries.pages import Page, chunks, read_version

JSON = "application/json"


def json_answer(document: Any, status: int = 200, *, location: str | None = None) -> Response:
    """One JSON document."""
    response = Response(orjson.dumps(document), status, mimetype=JSON)
    if location:
        response.headers["Location"] = location
    return response


def list_answer(
    query: Mapping[str, Any],
    *,
    whole: Callable[[], IO[bytes]],
    page: Callable[[int, str | None], Page],
) -> Response:
    """A list: whole and streamed, or the page asked for; 304 where the client has it already.

    The validator is the newest event's id, since every change of a list writes an event.
    """
    version = read_version()
    address = f"{version.database_id} {request.path} {sorted(query.items())}"
    fingerprint = hashlib.blake2s(address.encode(), digest_size=8).hexdigest()
    headers = {
        "ETag": f'"{version.event_id}-{fingerprint}"',
        "X-Stream-Cursor": str(version.event_id),
        "Cache-Control": "private, no-cache",
    }
    if {headers["ETag"], "*"} & {tag.strip() for tag in _if_none_match()}:
        return Response(status=304, headers=headers)
    found = unchanged.find(version, headers["ETag"])
    if found is None and query.get("limit") is None:
        body = whole()
        if len(data := body.read(MAX_BYTES + 1)) > MAX_BYTES:
            return _streamed_answer(body, headers)
        body.close()
        found = Page(data, None)
    elif found is None:
        found = page(query["limit"], query.get("cursor"))
    unchanged.keep(version, headers["ETag"], found)
    return page_answer(query, found, headers=headers)


def page_answer(query: Mapping[str, Any], found: Page, *, headers: dict[str, str]) -> Response:
    """Some rows of a list, and where the next ones are."""
    if found.next_cursor:
        headers["Link"] = f'<{_next_address(query, found.next_cursor)}>; rel="next"'
    return Response(found.body, headers=headers, mimetype=JSON)


def file_answer(body: IO[bytes], *, name: str, content_type: str) -> Response:
    """A file to be saved under this name, streamed and closed."""
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return _streamed_answer(body, headers, content_type)


def _streamed_answer(
    body: IO[bytes], headers: dict[str, str], content_type: str = JSON
) -> Response:
    """A file's bytes as they are asked for, after which it is closed."""
    if request.method == "HEAD":
        body.close()  # werkzeug neither reads nor closes what answers HEAD
        return Response(headers=headers, content_type=content_type)
    body.seek(0)
    response = Response(chunks(body), headers=headers, content_type=content_type)
    response.call_on_close(body.close)  # also where nobody began to read
    return response


def _if_none_match() -> list[str]:
    return request.headers.get("If-None-Match", "").replace("W/", "").split(",")


def _next_address(query: Mapping[str, Any], cursor: str) -> str:
    asked = {name: value for name, value in query.items() if value is not None}
    return f"{request.base_url}?{urlencode(asked | {'cursor': cursor})}"
