"""A thread waits a moment for its connection's next request, where nobody else waits for it."""

import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import TConn

from config import patient_worker
from config.patient_worker import PatientWorker
from tests.kit.plain_app import app

THREADS = 3
Ends = tuple[Any, socket.socket]


def request(path: str, body: bytes = b"") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def answered(client: socket.socket, count: int) -> list[str]:
    """The paths of so many answers, in their order."""
    reader, found = client.makefile("rb"), []
    for _ in range(count):
        assert reader.readline().startswith(b"HTTP/1.1 200")
        headers = dict(line.split(b": ") for line in iter(reader.readline, b"\r\n"))
        found.append(reader.read(int(headers[b"Content-Length"])).decode())
    return found


@pytest.fixture
def worker() -> PatientWorker:
    """One that accepts nothing: a test gives it its connections."""
    config = Config()
    config.set("threads", THREADS)
    made = PatientWorker(1, os.getppid(), [], None, 30, config, Logger(config))
    made.wsgi, made.nr_conns = app, 1
    return made


@pytest.fixture
def ends(worker: PatientWorker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ends]:
    """The worker's end of a connection, and the client's."""
    monkeypatch.setattr(patient_worker, "LINGER", 50)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with socket.create_connection(listener.getsockname(), timeout=10) as client:
            ours, address = listener.accept()
            with ours:
                yield TConn(worker.cfg, ours, address, listener.getsockname()), client


def test_requests_that_wait_already_are_answered_at_one_go(
    worker: PatientWorker, ends: Ends
) -> None:
    conn, client = ends
    client.sendall(request("/1", b"a" * 100_000) + request("/2") + request("/3"))
    assert worker.handle(conn) is True
    assert answered(client, 3) == ["/1" + "a" * 100_000, "/2", "/3"]


def test_no_thread_lingers_while_others_wait_for_one(worker: PatientWorker, ends: Ends) -> None:
    conn, client = ends
    worker.nr_conns = THREADS + 1
    client.sendall(request("/1"))
    assert worker.handle(conn) is True
    client.sendall(request("/2"))
    assert answered(client, 1) == ["/1"]
    assert worker.handle(conn) is True
    assert answered(client, 1) == ["/2"]


def test_no_thread_lingers_once_the_worker_stops(worker: PatientWorker, ends: Ends) -> None:
    conn, client = ends

    def stop(*_: object) -> Any:
        worker.alive = False
        return app(*_)

    worker.wsgi = stop
    client.sendall(request("/1") + request("/2"))
    assert worker.handle(conn) is True
    assert answered(client, 1) == ["/1"]


def test_a_client_that_leaves_meanwhile_is_parted_from(worker: PatientWorker, ends: Ends) -> None:
    conn, client = ends
    client.sendall(request("/1"))
    client.shutdown(socket.SHUT_WR)
    assert worker.handle(conn) is False
    assert answered(client, 1) == ["/1"]
    assert client.recv(1) == b""


def test_each_request_has_its_time_from_its_own_beginning(
    worker: PatientWorker, ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    conn, client = ends
    begun: list[float] = []
    begin = patient_worker.PatientUnreader.begin
    monkeypatch.setattr(
        patient_worker.PatientUnreader, "begin", lambda self: (begun.append(0), begin(self))
    )
    client.sendall(request("/1") + request("/2"))
    worker.handle(conn)
    assert len(begun) == 3  # one as the connection is made
