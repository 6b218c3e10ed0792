"""A hundred open event streams, in a process of their own so that they do not slow the clock."""

import asyncio
import multiprocessing
import re
import time
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self

import httpx

MESSAGE_ID = re.compile(rb'"type":"outbound_message".*?"message":\{"id":(\d+)')
STREAM = "/messages/events/stream"
PATIENCE = 60.0
Arrival = tuple[int, float]
"""A message's id, and when its event arrived (`time.monotonic()`)."""


class Streams:
    """Open inside the `with`: `first_bytes` in seconds; `close()` gives what arrived."""

    def __init__(self, base_url: str, count: int) -> None:
        self.first_bytes: list[float] = []
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_run, args=(base_url, count, theirs), daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        self.first_bytes = self._receive()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.join()

    def close(self) -> list[Arrival]:
        """Every event of a sent message on every stream."""
        self._ours.send(None)
        arrivals: list[Arrival] = self._receive()
        return arrivals

    def _receive(self) -> list:  # type: ignore[type-arg]
        if not self._ours.poll(PATIENCE):
            raise SystemExit("The event streams did not open or close in time.")
        received: list[object] = self._ours.recv()
        return received


def _run(base_url: str, count: int, pipe: Connection) -> None:
    asyncio.run(_hold(base_url, count, pipe))


async def _hold(base_url: str, count: int, pipe: Connection) -> None:
    limits = httpx.Limits(max_connections=None)
    arrivals: list[Arrival] = []
    first_bytes: list[float] = []
    asked_to_close = asyncio.Event()
    asyncio.get_running_loop().add_reader(pipe.fileno(), asked_to_close.set)
    async with httpx.AsyncClient(base_url=base_url, limits=limits, timeout=None) as client:
        tasks = []
        for _ in range(count):
            is_open = asyncio.Event()
            started = time.monotonic()
            tasks.append(asyncio.create_task(_read(client, is_open, arrivals)))
            await is_open.wait()
            first_bytes.append(time.monotonic() - started)
        pipe.send(first_bytes)
        await asked_to_close.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    pipe.send(arrivals)


async def _read(client: httpx.AsyncClient, is_open: asyncio.Event, into: list[Arrival]) -> None:
    async with client.stream("GET", STREAM) as response:
        response.raise_for_status()
        unfinished = b""
        async for chunk in response.aiter_raw():
            arrived = time.monotonic()
            is_open.set()
            *lines, unfinished = (unfinished + chunk).split(b"\n")
            for line in lines:
                if found := MESSAGE_ID.search(line):
                    into.append((int(found[1]), arrived))
