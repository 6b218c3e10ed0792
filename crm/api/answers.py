"""How views answer: JSON objects, and lists with their validators and cursors."""

from collections.abc import Callable, Mapping
from typing import IO, Any
from urllib.parse import quote

import orjson
from flask import Response, current_app, request

from crm.api.asked_again import may_be_asked_again
from crm.api.lists import JSON, ListRequest, link
from crm.extensions import db
from crm.queries.pages import Page, chunks

MOST_TAGS, LONGEST_TAG = 16, 64
"""Of `If-None-Match` that are looked at; ours are shorter, and a client has one of a list."""


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

    Everybody who may call the view gets the same one.
    """
    asked = ListRequest(
        app=current_app._get_current_object(),  # type: ignore[attr-defined]
        engine=db.engine,
        path=request.path,
        address=_address(),
        query=query,
        validators=_if_none_match(),
        whole=whole,
        page=page,
    )
    answer = asked.answer()
    if answer.body is None:
        response = Response(status=304, headers=answer.headers)
    elif isinstance(answer.body, bytes):
        response = Response(answer.body, headers=answer.headers, mimetype=JSON)
    else:
        return _streamed_answer(answer.body, answer.headers)
    may_be_asked_again(asked)
    return response


def page_answer(query: Mapping[str, Any], found: Page) -> Response:
    """Some rows of a list that no client keeps, and where the next ones are."""
    headers = {"Cache-Control": "private, no-cache"} | link(_address(), query, found)
    return Response(found.body, headers=headers, mimetype=JSON)


def file_answer(body: IO[bytes], *, name: str, content_type: str) -> Response:
    """A file to be saved under this name, streamed and closed."""
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "private, no-store",
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


def _if_none_match() -> frozenset[str]:
    given = request.headers.get("If-None-Match", "").split(",", MOST_TAGS)[:MOST_TAGS]
    tags = (tag.strip().removeprefix("W/") for tag in given)
    return frozenset(tag for tag in tags if len(tag) <= LONGEST_TAG)


def _address() -> str:
    """As `request.base_url`, which undoes the quoting that it then does."""
    return f"{request.scheme}://{request.host}{quote(request.root_path + request.path)}"
