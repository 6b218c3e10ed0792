"""Asks as fast as it is answered: prepared requests over plain sockets, one process, one thread.

About 20,000 small answers a second on one core, so the asking is never what is measured (the
report shows the floor: what a server gets to that answers from memory).
"""

import itertools
import multiprocessing
import os
import select
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import psycopg

from benchmarks.cores import ASKING

PATIENCE = 30.0
PIECE = 512 * 1024
_TOUCH = "UPDATE counters SET value = value + 1 WHERE name = 'database_id'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to ask, over how many connections at once, and until when."""

    port: int
    requests: Sequence[bytes]
    """Whole HTTP requests, taken in turn."""
    connections: int = 1
    seconds: float = PATIENCE
    count: int | None = None
    """Answers after which to stop, where the seconds do not end first."""
    touch: str | None = None
    """A database that is told before each request that its lists changed."""


@dataclass(slots=True)
class Outcome:
    """How each request went: seconds each, in all, and the answers that were no success."""

    seconds: list[float] = field(default_factory=list)
    elapsed: float = 0.0
    body_bytes: int = 0
    refused: dict[int, int] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        return len(self.seconds) / self.elapsed


class Loader:
    """The asking process; `run` plans one after the other."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(1, context, os.sched_setaffinity, (0, ASKING))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def run(self, plan: Plan) -> Outcome:
        """Ask, and tell how it went. Raises `ConnectionError` where nobody answers."""
        return self._pool.submit(ask, plan).result()


class _Line:
    """One keep-alive connection with at most one request on its way."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.connect()

    def connect(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self._port), PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> None:
        self.request = request
        self._head, self._got, self._need = b"", 0, None
        self.asked_at = time.perf_counter()
        self.socket.sendall(request)

    def take(self) -> bool:
        """Read what is there; whether the answer is whole."""
        piece = self.socket.recv(PIECE)
        if not piece:
            raise ConnectionError(f"cut off after {self._got} bytes")
        self._got += len(piece)
        if self._need is None:
            self._head += piece
            self._need = self._read_head()
        if self._need == -1:
            return piece.endswith(b"0\r\n\r\n")
        return self._need is not None and self._got >= self._need

    def _read_head(self) -> int | None:
        """The answer's length in bytes; -1: in chunks; None: not known yet."""
        end = self._head.find(b"\r\n\r\n")
        if end < 0:
            return None
        self.status = int(self._head[9:12])
        fields = self._head[:end].lower() + b"\r\n"
        _, known, rest = fields.partition(b"\r\ncontent-length:")
        if known:
            return end + 4 + int(rest[: rest.index(b"\r\n")])
        return -1 if b"\r\ntransfer-encoding: chunked" in fields else end + 4

    @property
    def body_bytes(self) -> int:
        return self._got - self._head.find(b"\r\n\r\n") - 4

    @property
    def is_fresh(self) -> bool:
        """Whether nothing of the answer came."""
        return not self._got


def ask(plan: Plan) -> Outcome:
    """Run a plan in this process."""
    lines = [_Line(plan.port) for _ in range(plan.connections)]
    waiting = select.epoll()
    by_number = {line.socket.fileno(): line for line in lines}
    requests, outcome = itertools.cycle(plan.requests), Outcome()
    left = itertools.count() if plan.count is None else iter(range(plan.count))
    touch = _toucher(plan.touch)
    started = time.perf_counter()
    for line, _ in zip(lines, left, strict=False):
        waiting.register(line.socket, select.EPOLLIN)
        touch()
        line.ask(next(requests))
    open_lines = len(lines) if plan.count is None else min(len(lines), plan.count)
    until = started + plan.seconds
    while open_lines:
        for line in _readable(waiting, by_number):
            if not _finished(line, waiting, by_number):
                continue
            moment = time.perf_counter()
            _note(outcome, line, moment)
            if moment < until and next(left, None) is not None:
                touch()
                line.ask(next(requests))
            else:
                open_lines -= 1
    outcome.elapsed = time.perf_counter() - started
    for line in lines:
        line.socket.close()
    return outcome


def _readable(waiting: select.epoll, by_number: dict[int, _Line]) -> Iterator[_Line]:
    events = waiting.poll(PATIENCE)
    if not events:
        raise ConnectionError(f"no answer in {PATIENCE:g} s")
    for number, _ in events:
        yield by_number[number]


def _finished(line: _Line, waiting: select.epoll, by_number: dict[int, _Line]) -> bool:
    """Take what came; a connection that the server had given up before is made anew."""
    try:
        return line.take()
    except ConnectionError:
        if not line.is_fresh:
            raise
        del by_number[line.socket.fileno()]
        waiting.unregister(line.socket)
        line.socket.close()
        line.connect()
        by_number[line.socket.fileno()] = line
        waiting.register(line.socket, select.EPOLLIN)
        line.ask(line.request)
        return False


def _note(outcome: Outcome, line: _Line, moment: float) -> None:
    outcome.seconds.append(moment - line.asked_at)
    outcome.body_bytes += line.body_bytes
    if line.status >= 400:
        outcome.refused[line.status] = outcome.refused.get(line.status, 0) + 1


def _toucher(database: str | None) -> Callable[[], object]:
    """Tells a database that its lists changed, without an event that streams would carry."""
    if database is None:
        return lambda: None
    if database.startswith("sqlite"):
        file = sqlite3.connect(
            database.removeprefix("sqlite:///"), timeout=PATIENCE, isolation_level=None
        )
        file.execute("PRAGMA synchronous = OFF")
        return lambda: file.execute(_TOUCH)
    server = psycopg.connect(database, autocommit=True)
    server.execute("SET synchronous_commit = off")
    return lambda: server.execute(_TOUCH)
