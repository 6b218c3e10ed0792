"""gunicorn's threads, of which none waits for ever for what a client does not say.

Of itself gunicorn reads a request without a time limit: as many clients as there are threads, gone
in the midst of theirs, would be the end of a process.
"""

import errno
import time
from typing import Any

from gunicorn.http import get_parser
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import ThreadWorker

PATIENCE = 15.0
"""Seconds for a whole request, and for each `SLOWEST` bytes of it that came one more."""
SLOWEST = 16 * 1024


class PatientUnreader(SocketUnreader):  # type: ignore[misc]
    """A connection whose client has so long to say what it wants."""

    def __init__(self, sock: Any) -> None:
        super().__init__(sock)
        self.begin()

    def begin(self) -> None:
        """A new request may take its time."""
        self.deadline = time.monotonic() + PATIENCE

    def chunk(self, size_hint: int | None = None) -> bytes:
        """What comes next. Raises `ConnectionResetError` once the time is over."""
        left, given = self.deadline - time.monotonic(), self.sock.gettimeout()
        if left <= 0:
            raise _too_late()
        self.sock.settimeout(left if given is None else min(left, given))
        try:
            data: bytes = super().chunk(size_hint)
        except TimeoutError as error:
            raise _too_late() from error
        finally:
            self.sock.settimeout(given)
        self.deadline += len(data) / SLOWEST
        return data


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's gthread with patient connections."""

    def handle(self, conn: Any) -> Any:
        """One request of a connection, on a thread."""
        if conn.parser is None:
            conn.parser = get_parser(self.cfg, conn.sock, conn.client)
            conn.parser.unreader = PatientUnreader(conn.sock)
        conn.parser.unreader.begin()
        return super().handle(conn)


def _too_late() -> ConnectionResetError:
    """What gunicorn takes for a client that left, and says nothing about."""
    return ConnectionResetError(errno.ECONNRESET, "the request took too long to arrive")
