"""One open stream of this process: what it was given, and the socket that it goes out on.

Waking one thread per client and event costs more than all the rest of a stream (0.15 ms each,
15 ms for a hundred), so the feed's one thread writes to idle sockets itself, without waiting. A
client that does not take it at once is left to the stream's own thread.
"""

import os
import select
import socket
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from crm.queries.callers import Caller
from crm.queries.events import Extent

BUFFER = 1000
"""Pieces that a client may lag behind; then it is closed, and resumes by its last id."""
WRITE_TIMEOUT = 20.0
"""Seconds that one write may take; a reader that is frozen longer is cut off."""


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """An event as streams send it; made once for all of them."""

    id: int
    frame: bytes

    @classmethod
    def of(cls, event_id: int, document: bytes) -> "LiveEvent":
        """JSON has no line breaks of its own, so one `data:` line holds it."""
        return cls(event_id, b"id: %d\ndata: %s\n\n" % (event_id, document))


def ephemeral_frame(document: bytes) -> bytes:
    """What has no id leaves the client's last one as it is."""
    return b"data: %s\n\n" % document


class Connection:
    """The client's socket, which gunicorn lends to the application."""

    def __init__(self, lent: socket.socket, *, is_chunked: bool) -> None:
        self._socket = lent
        self._is_chunked = is_chunked
        # Makes the descriptor non-blocking too, which `try_write` needs.
        lent.settimeout(WRITE_TIMEOUT)

    def encode(self, frame: bytes) -> bytes:
        """The bytes of a frame on this connection, in HTTP's transfer encoding."""
        return b"%X\r\n%s\r\n" % (len(frame), frame) if self._is_chunked else frame

    def try_write(self, data: bytes) -> bytes:
        """Write what the socket takes without waiting; returns the rest. Raises `OSError`."""
        try:
            return data[os.write(self._socket.fileno(), data) :]
        except BlockingIOError:
            return data

    def write(self, data: bytes) -> bool:
        """Write it all, waiting up to `WRITE_TIMEOUT`; False where the client did not take it."""
        try:
            self._socket.sendall(data)
        except OSError:
            return False
        return True

    def is_gone(self) -> bool:
        """Whether the client closed its side; it has nothing to say, so readable means closed."""
        readable = select.poll()
        try:
            readable.register(self._socket, select.POLLIN)
            return bool(readable.poll(0)) and not self._socket.recv(1, socket.MSG_PEEK)
        except (OSError, ValueError):
            return True


class Subscription:
    """The events after `start`, in order, and before `go_live` maybe some that are older.

    `offer` is called by the feed's thread, the rest by the stream's own.
    """

    def __init__(
        self,
        start: int,
        extent: Extent,
        leave: Callable[["Subscription"], None],
        *,
        holder: Caller | None = None,
    ) -> None:
        self.start = start
        self.extent = extent
        self.holder = holder
        self._leave = leave
        self._changed = threading.Condition()
        self._after = 0
        self._early: list[LiveEvent] = []
        self._waiting: deque[bytes] = deque()
        self._connection: Connection | None = None
        self._is_live = self._is_busy = self._is_over = False

    def is_held_by(self, caller: Caller) -> bool:
        """Whether this agent or script holds it, in whichever session."""
        holder = self.holder
        return holder is not None and (
            (holder.actor.kind, holder.actor.id) == (caller.actor.kind, caller.actor.id)
        )

    def go_live(self, after: int, connection: Connection | None) -> None:
        """Everything up to `after` is written; from now on `offer` may write by itself."""
        with self._changed:
            self._connection = connection
            self._is_live = True
            self._after = after
            early, self._early = self._early, []
            for event in early:
                if event.id > after:
                    self._wait(self._encode(event.frame))

    def offer(self, event: LiveEvent) -> None:
        """Take an event; a client that is too far behind gets the end instead."""
        with self._changed:
            if event.id <= self._after:
                return  # the feed was behind the table that the replay read
            if self._is_live:
                self._write(self._encode(event.frame))
            elif len(self._early) < BUFFER:
                self._early.append(event)
            else:
                self._end()

    def beat(self, frame: bytes) -> None:
        """Write something that is no event."""
        with self._changed:
            self._write(self._encode(frame))

    def mention(self, frame: bytes) -> None:
        """Write what may get lost; a client that has other things to read does not get it."""
        with self._changed:
            if self._is_live and self._is_idle():
                self._write(self._encode(frame), may_drop=True)

    def take(self, timeout: float) -> bytes | None:
        """What is left to the stream's thread to write: empty after `timeout`, None at the end.

        Until the next call nobody else writes to the connection.
        """
        with self._changed:
            self._is_busy = False
            self._changed.wait_for(lambda: self._waiting or self._is_over, timeout)
            if self._is_over:
                return None
            data = b"".join(self._waiting)
            self._waiting.clear()
            self._is_busy = bool(data)
            return data

    def end(self) -> None:
        """No more events; the stream's thread closes the connection."""
        with self._changed:
            self._end()

    def close(self) -> None:
        """The client is gone; once this returns nobody writes to its connection."""
        self.end()

    def _is_idle(self) -> bool:
        return not (self._is_busy or self._waiting or self._is_over)

    def _write(self, data: bytes, *, may_drop: bool = False) -> None:
        left = data
        if self._connection and self._is_idle():
            try:
                left = self._connection.try_write(data)
            except OSError:
                self._end()
        if may_drop and self._connection and left == data:
            return  # nothing of it was begun, and a thread stuck with it would end the stream
        if left:
            self._wait(left)

    def _wait(self, data: bytes) -> None:
        if len(self._waiting) >= BUFFER:
            self._end()
        self._waiting.append(data)
        self._changed.notify()

    def _encode(self, frame: bytes) -> bytes:
        return self._connection.encode(frame) if self._connection else frame

    def _end(self) -> None:
        self._leave(self)
        self._is_over = True
        self._changed.notify()
