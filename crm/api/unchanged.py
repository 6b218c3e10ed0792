"""Lists kept in memory for as long as nothing changes.

Every change writes an event, so the newest event's id tells whether a list is still true. Only
lists of the newest version are kept: what was erased leaves with the next list that is asked for.
"""

import threading

from crm.queries.pages import Page, Version

MAX_BYTES = 4 * 1024 * 1024
"""Of one list; a longer one is streamed from its file each time."""
MAX_TOTAL = 16 * 1024 * 1024
"""Bytes of all; the oldest go first."""
OVERHEAD = 512
"""Bytes that a list takes beside its own, at most."""


class UnchangedLists:
    """The last lists and pages of this process, by validator."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forget(None)

    def find(self, version: Version, etag: str) -> Page | None:
        """The list with this validator, if it was made since the last change."""
        with self._lock:
            if version != self._version:
                self._forget(version)
            return self._lists.get(etag)

    def keep(self, version: Version, etag: str, found: Page) -> None:
        """Keep a list that is short enough."""
        if len(found.body) > MAX_BYTES:
            return
        with self._lock:
            if version != self._version or etag in self._lists:
                return
            self._lists[etag] = found
            self._bytes += len(found.body) + OVERHEAD
            while self._bytes > MAX_TOTAL:
                oldest = next(iter(self._lists))
                self._bytes -= len(self._lists.pop(oldest).body) + OVERHEAD

    def forget(self) -> None:
        """Begin anew."""
        with self._lock:
            self._forget(None)

    def _forget(self, version: Version | None) -> None:
        self._version, self._bytes = version, 0
        self._lists: dict[str, Page] = {}


unchanged = UnchangedLists()
"""This process's lists."""
