"""Many event stream clients in one thread: each reads, is cut at random, and resumes."""

import asyncio
import random
import threading
from contextlib import suppress
from urllib.parse import urlsplit

REQUEST = (
    "GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\n{resume}"
    "Connection: close\r\n\r\n"
)


class StreamClient:
    """One client; `ids` are the events it was given, in order of arrival."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url)
        self.ids: list[int] = []
        self.resets = 0
        self.last_id: int | None = None
        self.opened = 0
        self._writer: asyncio.StreamWriter | None = None

    async def run(self) -> None:
        """Read for ever, coming back whenever the connection is lost or refused."""
        while True:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._read()
            await asyncio.sleep(random.uniform(0.05, 0.3))

    def cut(self) -> None:
        """Lose the connection without a word."""
        if self._writer is not None:
            self._writer.transport.abort()

    async def _read(self) -> None:
        reader, self._writer = await asyncio.open_connection(
            self._address.hostname, self._address.port
        )
        try:
            resume = f"Last-Event-ID: {self.last_id}\r\n" if self.last_id is not None else ""
            request = REQUEST.format(
                path=self._address.path, host=self._address.netloc, resume=resume
            )
            self._writer.write(request.encode())
            status = await reader.readline()
            if b" 200 " not in status:
                return
            self.opened += 1
            pending: int | None = None
            while line := await reader.readline():
                # Chunk sizes of the transfer encoding are lines too; they start with neither.
                if line.startswith(b"id: "):
                    pending = int(line[4:])
                    if self.last_id is None:
                        self.last_id = pending
                elif line == b"\n":
                    pending = None
                elif line.startswith(b"data: ") and pending is not None:
                    self.resets += b'"reset"' in line
                    self.ids.append(pending)
                    self.last_id = pending
        finally:
            self._writer.transport.abort()
            self._writer = None


class Swarm:
    """Some clients on a thread of their own."""

    def __init__(self, url: str, *, size: int) -> None:
        self.clients = [StreamClient(url) for _ in range(size)]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Swarm":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop)
        self._thread.join(20)

    @property
    def all_open(self) -> bool:
        """Whether each client has been answered at least once."""
        return all(client.opened for client in self.clients)

    def cut_all(self) -> None:
        """Cut every client once."""
        for client in self.clients:
            self._loop.call_soon_threadsafe(client.cut)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._tasks = [self._loop.create_task(client.run()) for client in self.clients]
        with suppress(asyncio.CancelledError):
            self._loop.run_until_complete(asyncio.gather(*self._tasks))
        self._loop.run_until_complete(asyncio.sleep(0.1))
        self._loop.close()

    def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
