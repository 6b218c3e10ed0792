"""Open event streams, read by a process of their own with as little work as can be."""

import multiprocessing
import os
import re
import select
import socket
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self

from benchmarks.cores import ASKING

MESSAGE_ID = re.compile(rb'"type":"outbound_message".*?"message":\{"id":(\d+)')
REQUEST = (
    b"GET /messages/events/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n"
)
PATIENCE = 60.0
Arrival = tuple[int, float]
"""A message's id, and when its event arrived (`time.monotonic()`)."""


class Streams:
    """Open inside the `with`: `first_bytes` in seconds; `close()` gives what arrived."""

    def __init__(self, port: int, count: int, *, at_once: int = 1) -> None:
        self.first_bytes: list[float] = []
        self.opened_in = 0.0
        """Seconds until all were open."""
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        arguments = (port, count, at_once, theirs)
        self._process = context.Process(target=_run, args=arguments, daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        self.first_bytes, self.opened_in = self._receive()
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


@dataclass(slots=True)
class _Stream:
    socket: socket.socket
    asked_at: float
    is_open: bool = False
    rest: bytes = b""


@dataclass(slots=True)
class _Reader:
    """One thread that reads all streams."""

    port: int
    waiting: select.epoll = field(default_factory=select.epoll)
    streams: dict[int, _Stream] = field(default_factory=dict)
    arrivals: list[Arrival] = field(default_factory=list)
    first_bytes: list[float] = field(default_factory=list)

    def open(self) -> None:
        opened = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        stream = _Stream(opened, time.monotonic())
        opened.sendall(REQUEST)
        self.streams[opened.fileno()] = stream
        self.waiting.register(opened, select.EPOLLIN)

    def read(self, timeout: float) -> None:
        """Take what has arrived."""
        for number, _ in self.waiting.poll(timeout):
            if number not in self.streams:
                continue
            stream = self.streams[number]
            piece = stream.socket.recv(64 * 1024)
            arrived = time.monotonic()
            if not piece:
                raise SystemExit("An event stream ended.")
            if not stream.is_open:
                if not piece.startswith(b"HTTP/1.1 200"):
                    raise SystemExit(f"An event stream was refused: {piece[:200]!r}")
                stream.is_open = True
                self.first_bytes.append(arrived - stream.asked_at)
            self._note(stream, piece, arrived)

    def _note(self, stream: _Stream, piece: bytes, arrived: float) -> None:
        whole, _, stream.rest = (stream.rest + piece).rpartition(b"\n")
        for found in MESSAGE_ID.findall(whole):
            self.arrivals.append((int(found), arrived))


def _run(port: int, count: int, at_once: int, pipe: Connection) -> None:
    os.sched_setaffinity(0, ASKING)
    reader = _Reader(port)
    started = time.monotonic()
    opened = 0
    while len(reader.first_bytes) < count:
        while opened < count and opened - len(reader.first_bytes) < at_once:
            reader.open()
            opened += 1
        reader.read(PATIENCE)
    pipe.send((reader.first_bytes, time.monotonic() - started))
    while not pipe.poll():
        reader.read(0.1)
    pipe.send(reader.arrivals)
