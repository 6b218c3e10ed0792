"""Whole lists kept in memory for as long as nothing changes.

Every change writes an event, so the newest event's id tells whether a list is still true. Only
lists of the newest version are kept: what was erased leaves with the next list that is asked for.
"""

import threading
from typing import IO

from crm.queries.pages import Version

MAX_BYTES = 4 * 1024 * 1024
"""Of one list; a longer one is streamed from its file each time."""
MAX_LISTS = 8


class UnchangedLists:
    """The last few whole lists of this process, by validator."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._version: Version | None = None
        self._bodies: dict[str, bytes] = {}

    def find(self, version: Version, etag: str) -> bytes | None:
        """The list with this validator, if it was made since the last change."""
        with self._lock:
            if version != self._version:
                self._version = version
                self._bodies.clear()
            return self._bodies.get(etag)

    def keep(self, version: Version, etag: str, body: IO[bytes]) -> bytes | None:
        """Keep a list that is short enough, and return it; None leaves it to be streamed."""
        data = body.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            body.seek(0)
            return None
        body.close()
        with self._lock:
            if version == self._version and len(self._bodies) < MAX_LISTS:
                self._bodies[etag] = data
        return data


unchanged = UnchangedLists()
"""This process's lists."""
