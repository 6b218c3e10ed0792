"""A list as one request asks for it; what it is answered depends on nothing but the database."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import urlencode

from crm.api.unchanged import MAX_BYTES, unchanged
from crm.queries.pages import Page, Version, read_version

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class ListAnswer:
    """What a list is answered with; `body` None: the client has it already."""

    headers: dict[str, str]
    body: bytes | IO[bytes] | None
    """A file where the list is long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRequest:
    """Which list, whole or the page that the query tells, and where it goes on."""

    path: str
    address: str
    """The absolute one, without the query."""
    query: Mapping[str, Any]
    validators: frozenset[str]
    """Of what the client has: `If-None-Match`."""
    whole: Callable[[], IO[bytes]]
    page: Callable[[int, str | None], Page]

    def answer(self) -> ListAnswer:
        """As things are now.

        The validator is the newest event's id, since every change of a list writes an event.
        """
        version = read_version()
        headers = {
            "ETag": f'"{version.event_id}-{self._fingerprint(version)}"',
            "X-Stream-Cursor": str(version.event_id),
            "Cache-Control": "private, no-cache",
        }
        if {headers["ETag"], "*"} & self.validators:
            return ListAnswer(headers, None)
        found = unchanged.find(version, headers["ETag"]) or self._read()
        if not isinstance(found, Page):
            return ListAnswer(headers, found)
        unchanged.keep(version, headers["ETag"], found)
        return ListAnswer(headers | link(self.address, self.query, found), found.body)

    def _read(self) -> Page | IO[bytes]:
        if self.query.get("limit") is not None:
            return self.page(self.query["limit"], self.query.get("cursor"))
        body = self.whole()
        if len(data := body.read(MAX_BYTES + 1)) > MAX_BYTES:
            return body
        body.close()
        return Page(data, None)

    def _fingerprint(self, version: Version) -> str:
        what = f"{version.database_id} {self.path} {sorted(self.query.items())}"
        return hashlib.blake2s(what.encode(), digest_size=8).hexdigest()


def link(address: str, query: Mapping[str, Any], page: Page) -> dict[str, str]:
    """The header that tells where the rows after a page are, if there are any."""
    if page.next_cursor is None:
        return {}
    asked = {name: value for name, value in query.items() if value is not None}
    return {"Link": f'<{address}?{urlencode(asked | {"cursor": page.next_cursor})}>; rel="next"'}
