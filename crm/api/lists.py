"""A list as one request asks for it; what it is answered depends on nothing but the database."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import IO, Any
from urllib.parse import urlencode

from crm.api.unchanged import MAX_BYTES, unchanged
from crm.queries.pages import Page, Version

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

    def answer(self, version: Version) -> ListAnswer:
        """As things are now, or have come to be since the version was read."""
        known = self.recall(version)
        if known is not None:
            return known
        headers, found = self._headers(version), self._read()
        if not isinstance(found, Page):
            return ListAnswer(headers, found)
        unchanged.keep(version, headers["ETag"], found)
        return self._show(headers, found)

    def recall(self, version: Version) -> ListAnswer | None:
        """The same, where the client or this process has it already."""
        headers = self._headers(version)
        if {headers["ETag"], "*"} & self.validators:
            return ListAnswer(headers, None)
        found = unchanged.find(version, headers["ETag"])
        return self._show(headers, found) if found else None

    def _headers(self, version: Version) -> dict[str, str]:
        """The validator is the newest event's id, since every change of a list writes an event."""
        fingerprint = _fingerprint(version.database_id, self.path, *self.query.items())
        return {
            "ETag": f'"{version.event_id}-{fingerprint}"',
            "X-Stream-Cursor": str(version.event_id),
            "Cache-Control": "private, no-cache",
        }

    def _show(self, headers: dict[str, str], page: Page) -> ListAnswer:
        return ListAnswer(headers | link(self.address, self.query, page), page.body)

    def _read(self) -> Page | IO[bytes]:
        if self.query.get("limit") is not None:
            return self.page(self.query["limit"], self.query.get("cursor"))
        body = self.whole()
        if len(data := body.read(MAX_BYTES + 1)) > MAX_BYTES:
            return body
        body.close()
        return Page(data, None)


@lru_cache(maxsize=1024)
def _fingerprint(database_id: int, path: str, *query: tuple[str, Any]) -> str:
    what = f"{database_id} {path} {sorted(query)}"
    return hashlib.blake2s(what.encode(), digest_size=8).hexdigest()


def link(address: str, query: Mapping[str, Any], page: Page) -> dict[str, str]:
    """The header that tells where the rows after a page are, if there are any."""
    if page.next_cursor is None:
        return {}
    asked = {name: value for name, value in query.items() if value is not None}
    return {"Link": f'<{address}?{urlencode(asked | {"cursor": page.next_cursor})}>; rel="next"'}
