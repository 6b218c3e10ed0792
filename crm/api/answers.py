"""How views answer: JSON objects, and lists with their validators and cursors."""

import hashlib
from collections.abc import Callable, Mapping
from typing import IO, Any
from urllib.parse import urlencode

import orjson
from flask import Response, request

from crm.api.unchanged import unchanged
from crm.queries.pages import Page, Version, chunks, read_version

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
    if query.get("limit") is None:
        return _whole_answer(version, headers, whole)
    return page_answer(query, page(query["limit"], query.get("cursor")), headers=headers)


def page_answer(query: Mapping[str, Any], found: Page, *, headers: dict[str, str]) -> Response:
    """Some rows of a list, and where the next ones are."""
    if found.next_cursor:
        headers["Link"] = f'<{_next_address(query, found.next_cursor)}>; rel="next"'
    return Response(found.body, headers=headers, mimetype=JSON)


def _whole_answer(
    version: Version, headers: dict[str, str], whole: Callable[[], IO[bytes]]
) -> Response:
    """A whole list: from memory while nothing changed, streamed where it is long."""
    data = unchanged.find(version, headers["ETag"])
    if data is None:
        body = whole()
        data = unchanged.keep(version, headers["ETag"], body)
        if data is None and request.method == "HEAD":
            body.close()  # werkzeug neither reads nor closes what answers HEAD
        elif data is None:
            response = Response(chunks(body), headers=headers, mimetype=JSON)
            response.call_on_close(body.close)  # also where nobody began to read
            return response
    return Response(data, headers=headers, mimetype=JSON)


def file_answer(body: IO[bytes], *, name: str, content_type: str) -> Response:
    """A file to be saved under this name, streamed and closed."""
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    if request.method == "HEAD":
        body.close()  # werkzeug neither reads nor closes what answers HEAD
        return Response(headers=headers, content_type=content_type)
    response = Response(chunks(body), headers=headers, content_type=content_type)
    response.call_on_close(body.close)  # also where nobody began to read
    return response


def _if_none_match() -> list[str]:
    return request.headers.get("If-None-Match", "").replace("W/", "").split(",")


def _next_address(query: Mapping[str, Any], cursor: str) -> str:
    asked = {name: value for name, value in query.items() if value is not None}
    return f"{request.base_url}?{urlencode(asked | {'cursor': cursor})}"
