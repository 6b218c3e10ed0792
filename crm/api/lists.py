"""A list as one request asks for it; what it is answered depends on nothing but the database."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import IO, Any, NamedTuple
from urllib.parse import urlencode

from flask import Flask
from sqlalchemy import Engine

from crm import wire
from crm.api.shared_reads import SharedReads
from crm.api.unchanged import MAX_BYTES, unchanged
from crm.queries.pages import Page, Version, read_version

JSON = "application/json"
ANY_LIST = "*"
"""In `If-None-Match`: a client has whatever there is, if there is such a list at all."""


@dataclass(frozen=True, slots=True)
class ListAnswer:
    """What a list is answered with; `body` None: the client has it already."""

    headers: dict[str, str]
    body: bytes | IO[bytes] | None
    """A file where the list is long."""


class _Found(NamedTuple):
    version: Version
    list: Page | IO[bytes] | None
    """None: the client has it already."""

    def may_be_shared(self) -> bool:
        """A file is read by one alone."""
        return self.list is None or isinstance(self.list, Page)


_reads: SharedReads[_Found] = SharedReads()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRequest:
    """Which list, whole or the page that the query tells, and where it goes on."""

    app: Flask
    engine: Engine
    path: str
    address: str
    """The absolute one, without the query."""
    query: Mapping[str, Any]
    validators: frozenset[str]
    """Of what the client has: `If-None-Match`."""
    whole: Callable[[], IO[bytes]]
    page: Callable[[int, str | None], Page]

    def answer(self) -> ListAnswer:
        """As things are now; several who ask at the same time share one read."""
        what = (self.engine, self.path, *self.query.items(), self.validators)
        version, found = _reads.share(what, self._find, may_share=_Found.may_be_shared)
        headers = {
            "ETag": self._etag(version),
            "X-Stream-Cursor": str(version.event_id),
            "Cache-Control": "private, no-cache",
        }
        if not isinstance(found, Page):
            return ListAnswer(headers, found)
        return ListAnswer(headers | link(self.address, self.query, found), found.body)

    def _find(self) -> _Found:
        version = read_version(self.engine)
        etag = self._etag(version)
        if etag in self.validators:
            return _Found(version, None)
        found = unchanged.find(version, etag) or self._read()
        if isinstance(found, Page):
            unchanged.keep(version, etag, found)
        if ANY_LIST not in self.validators:
            return _Found(version, found)
        if not isinstance(found, Page):
            found.close()
        return _Found(version, None)

    def _etag(self, version: Version) -> str:
        """The newest event's id, since every change of a list writes an event."""
        fingerprint = _fingerprint(version.database_id, self.path, *self.query.items())
        return f'"{version.event_id}-{fingerprint}"'

    def _read(self) -> Page | IO[bytes]:
        with self.app.app_context():
            if self.query.get("limit") is not None:
                return self.page(self.query["limit"], self.query.get("cursor"))
            body = self.whole()
        if len(data := body.read(MAX_BYTES + 1)) > MAX_BYTES:
            body.seek(0)
            return body
        body.close()
        return Page(data, None)


@lru_cache(maxsize=1024)
def _fingerprint(database_id: int, path: str, *query: tuple[str, Any]) -> str:
    what = f"{wire.LISTED} {database_id} {path} {sorted(query)}"
    return hashlib.blake2s(what.encode(), digest_size=8).hexdigest()


def link(address: str, query: Mapping[str, Any], page: Page) -> dict[str, str]:
    """The header that tells where the rows after a page are, if there are any."""
    if page.next_cursor is None:
        return {}
    asked = {name: value for name, value in query.items() if value is not None}
    return {"Link": f'<{address}?{urlencode(asked | {"cursor": page.next_cursor})}>; rel="next"'}
