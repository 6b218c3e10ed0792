"""One open stream of this process: what it was given, and the socket that it goes out on.

Waking one thread per client and event costs more than all the rest of a stream (0.15 ms each,
15 ms for a hundred), so the feed's one thread writes to idle sockets itself, without waiting. A
client that does not take it at once is left to the stream's own thread.
"""

import os
import select
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from crm.api.frames import Batch, Encoded, chunk
from crm.queries.callers import Caller
from crm.queries.events import Extent

BUFFER = 1024 * 1024
"""Bytes that a client may lag behind; then it is closed, and resumes by its last id."""
WRITE_TIMEOUT = 20.0
"""Seconds that one write may take; a reader that is frozen longer is cut off."""


class Connection:
    """The client's socket, which gunicorn lends to the application."""

    def __init__(self, lent: socket.socket, *, is_chunked: bool) -> None:
        self._socket = lent
        self._is_chunked = is_chunked
        self.is_encrypted = isinstance(lent, ssl.SSLSocket)
        # Makes the descriptor non-blocking too, which `try_write` needs.
        lent.settimeout(WRITE_TIMEOUT)

    def encode(self, batch: Batch) -> Encoded:
        """The bytes of a batch on this connection, in HTTP's transfer encoding."""
        return batch.chunked if self._is_chunked else batch.plain

    def encode_frame(self, frame: bytes) -> bytes:
        """The bytes of something that goes to this connection alone."""
        return chunk(frame) if self._is_chunked else frame

    def try_write(self, data: bytes) -> bytes:
        """Write what the socket takes without waiting; returns the rest. Raises `OSError`.

        Not for TLS: what that has encrypted and cannot send must be all that is written next.
        """
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

    def cut(self) -> None:
        """Break it off: whatever is written from now on, by whomever, does not arrive.

        The server ends each answer with bytes that a client takes for the end of an event, where
        they come in the midst of one: it would then go on after an event that it never had.
        """
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def is_gone(self) -> bool:
        """Whether the client closed its side; it has nothing to say, so readable means closed."""
        readable = select.poll()
        try:
            readable.register(self._socket, select.POLLIN)
            # In TLS the end is a message, at which one cannot peek.
            return bool(readable.poll(0)) and (
                self.is_encrypted or not self._socket.recv(1, socket.MSG_PEEK)
            )
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
        self._early: list[Batch] = []
        self._waiting: deque[bytes] = deque()
        self._lag = 0
        """Bytes of `_early` or `_waiting`."""
        self._connection: Connection | None = None
        self._is_live = self._is_busy = self._is_over = self._is_mid_frame = False

    @property
    def is_mid_frame(self) -> bool:
        """Whether the client has only a beginning of what it was written last."""
        return self._is_mid_frame

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
            early, self._early, self._lag = self._early, [], 0
            for batch in early:
                self._wait(self._encode(batch.after(after)).events)

    def offer(self, batch: Batch) -> None:
        """Take a batch; a client that is too far behind gets the end instead.

        What is no event is only for a client that has nothing else to read, and takes it at once.
        """
        with self._changed:
            if not self._is_live:
                self._keep(batch)
                return
            # Events up to `_after`: the feed was behind the table that the replay read.
            encoded = self._encode(batch.after(self._after))
            if self._is_idle():
                self._write(encoded.events, encoded.mentions)
            else:
                self._wait(encoded.events)

    def beat(self, frame: bytes) -> None:
        """Write something that is no event."""
        with self._changed:
            if self._is_idle():
                self._write(self._connection.encode_frame(frame) if self._connection else frame)

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
            self._lag = 0
            self._is_busy = bool(data)
            self._is_mid_frame = False
            return data

    def end(self) -> None:
        """No more events; the stream's thread closes the connection, or cuts it in mid-frame."""
        with self._changed:
            self._end()

    def close(self) -> None:
        """The client is gone; once this returns nobody writes to its connection."""
        self.end()

    def _is_idle(self) -> bool:
        return not (self._is_busy or self._waiting or self._is_over)

    def _keep(self, batch: Batch) -> None:
        """Until the replay is written; it may have read some of it."""
        self._count(len(batch.plain.events))
        if batch.events and not self._is_over:
            self._early.append(batch)

    def _write(self, data: bytes, may_drop: bytes = b"") -> None:
        whole = left = data + may_drop
        if left and self._connection and not self._connection.is_encrypted:
            try:
                left = self._connection.try_write(left)
            except OSError:
                self._end()
            if len(left) >= len(may_drop):
                # Nothing of it was begun, and a thread stuck with it would end the stream.
                whole, left = data, left[: len(left) - len(may_drop)]
            self._is_mid_frame = 0 < len(left) < len(whole)
        self._wait(left)

    def _wait(self, data: bytes) -> None:
        if not data or self._is_over:
            return
        self._count(len(data))
        self._waiting.append(data)
        self._changed.notify()

    def _count(self, size: int) -> None:
        """One piece is taken however large it is: nobody can lag behind by less."""
        if self._lag and self._lag + size > BUFFER:
            self._end()
        self._lag += size

    def _encode(self, batch: Batch) -> Encoded:
        return self._connection.encode(batch) if self._connection else batch.plain

    def _end(self) -> None:
        self._leave(self)
        self._is_over = True
        self._changed.notify()
