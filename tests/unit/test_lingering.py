"""A thread waits a moment for its connection's next request, where nobody else waits for it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import TConn

from config import patient_worker
from config.patient_worker import PatientWorker
from tests.kit.plain_app import SLOW, app
from tests.kit.ports import free_port
from tests.kit.waiting import eventually

THREADS = 3
Serve = Callable[[], tuple[subprocess.Popen[bytes], int]]


def request(path: str, body: bytes = b"") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Client:
    """A connection that is kept, and what comes back on it."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, timeout=20)
        self._reader = self.socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()
        self.socket.close()

    def say(self, *requests: bytes) -> None:
        self.socket.sendall(b"".join(requests))

    def hear(self, count: int = 1) -> list[str]:
        """The bodies of so many answers."""
        return [self.hear_all()[1] for _ in range(count)]

    def hear_all(self) -> tuple[dict[bytes, bytes], str]:
        """The headers and the body of an answer."""
        assert self._reader.readline().startswith(b"HTTP/1.1 200")
        lines = iter(self._reader.readline, b"\r\n")
        headers = dict(line.strip().split(b": ", 1) for line in lines)
        return headers, self._reader.read(int(headers[b"Content-Length"])).decode()

    def has_been_left(self) -> bool:
        """Whether nothing more comes."""
        return self._reader.read(1) == b""


Ends = tuple[Any, Client]


@pytest.fixture
def worker() -> Iterator[PatientWorker]:
    """One that accepts nothing: a test gives it its connections."""
    config = Config()
    config.set("threads", THREADS)
    made = PatientWorker(1, os.getppid(), [], None, 30, config, Logger(config))
    made.wsgi, made.nr_conns = app, 1
    yield made
    made.tmp.close()


@pytest.fixture
def ends(worker: PatientWorker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ends]:
    """The worker's end of a connection, and the client's."""
    monkeypatch.setattr(patient_worker, "LINGER", 50)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with Client(listener.getsockname()) as client:
            ours, address = listener.accept()
            with ours:
                yield TConn(worker.cfg, ours, address, listener.getsockname()), client


def test_requests_that_wait_already_are_answered_at_one_go(
    worker: PatientWorker, ends: Ends
) -> None:
    conn, client = ends
    client.say(request("/1", b"a" * 100_000) + request("/2") + request("/3"))
    assert worker.handle(conn) is True
    assert client.hear(3) == ["/1" + "a" * 100_000, "/2", "/3"]


def test_no_thread_lingers_while_others_wait_for_one(worker: PatientWorker, ends: Ends) -> None:
    conn, client = ends
    worker.nr_conns = THREADS + 1
    client.say(request("/1"), request("/2"))
    assert worker.handle(conn) is True
    assert client.hear() == ["/1"]
    assert worker.handle(conn) is True
    assert client.hear() == ["/2"]


def test_no_thread_lingers_once_the_worker_stops(worker: PatientWorker, ends: Ends) -> None:
    conn, client = ends

    def stop(*_: object) -> Any:
        worker.alive = False
        return app(*_)

    worker.wsgi = stop
    client.say(request("/1") + request("/2"))
    assert worker.handle(conn) is True
    assert client.hear() == ["/1"]


def test_a_client_that_leaves_meanwhile_is_parted_from(worker: PatientWorker, ends: Ends) -> None:
    conn, client = ends
    client.say(request("/1"))
    client.socket.shutdown(socket.SHUT_WR)
    assert worker.handle(conn) is False
    assert client.hear() == ["/1"]
    assert client.has_been_left()


def test_each_request_has_its_time_from_its_own_beginning(
    worker: PatientWorker, ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    conn, client = ends
    begun: list[float] = []
    begin = patient_worker.PatientUnreader.begin
    monkeypatch.setattr(
        patient_worker.PatientUnreader, "begin", lambda self: (begun.append(0), begin(self))
    )
    client.say(request("/1") + request("/2"))
    worker.handle(conn)
    assert len(begun) == 3  # one as the connection is made


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts a real gunicorn with few threads; tells it and its port."""
    with ExitStack() as opened:

        def start() -> tuple[subprocess.Popen[bytes], int]:
            port = free_port()
            command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}",
                "--worker-class", "config.patient_worker.PatientWorker", "--threads",
                str(THREADS), "--graceful-timeout", "10", "--no-control-socket",
                "--worker-tmp-dir", str(tmp_path), "tests.kit.plain_app:app"]  # fmt: skip
            process = subprocess.Popen(command)
            opened.callback(process.wait, 20)
            opened.callback(process.terminate)
            eventually(lambda: ask(port, "/") == "/")
            return process, port

        yield start


def ask(port: int, path: str) -> str:
    with Client(("127.0.0.1", port)) as client:
        client.say(request(path))
        return client.hear()[0]


def test_requests_of_one_connection_are_answered_in_their_order(serve: Serve) -> None:
    _, port = serve()
    with Client(("127.0.0.1", port)) as client:
        paths = [f"/{n}" if n % 7 else SLOW for n in range(40)]
        client.say(*map(request, paths[:30]))
        assert client.hear(30) == paths[:30]
        for path in paths[30:]:
            client.say(request(path))
            assert client.hear() == [path]


def test_more_connections_than_threads_are_all_answered(serve: Serve) -> None:
    _, port = serve()
    with ExitStack() as opened:
        clients = [opened.enter_context(Client(("127.0.0.1", port))) for _ in range(4 * THREADS)]
        for turn in range(3):
            for client in clients:
                client.say(request(f"/{turn}") + request(SLOW if turn == 1 else "/"))
            for client in clients:
                assert client.hear(2) == [f"/{turn}", SLOW if turn == 1 else "/"]


def test_connections_that_were_left_take_no_place(serve: Serve) -> None:
    _, port = serve()
    for number in range(4 * THREADS):
        with Client(("127.0.0.1", port)) as client:
            client.say(request(f"/{number}"))
            if number % 2:
                assert client.hear() == [f"/{number}"]
    assert ask(port, "/") == "/"


def test_a_busy_connection_is_told_when_the_worker_stops(serve: Serve) -> None:
    process, port = serve()
    with Client(("127.0.0.1", port)) as client:
        client.say(request("/"))
        assert client.hear() == ["/"]
        process.send_signal(signal.SIGTERM)
        headers: dict[bytes, bytes] = {}
        while headers.get(b"Connection") != b"close":
            client.say(request("/"))
            headers, body = client.hear_all()
            assert body == "/"
        assert client.has_been_left()
    assert process.wait(20) == 0
