"""gunicorn's workers without their processes: one connection at a time, with a client of the test.

What they do before and after an application is all their own.
"""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import TConn

from config.patient_worker import PatientWorker
from crm.api import subscription as subscriptions
from crm.api.feed import feed
from crm.api.subscription import BUFFER, Connection, Subscription
from crm.queries.events import Extent
from tests.kit.certificate import Certificate

ASK = b"GET /messages/events/stream HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
END = b"0\r\n\r\n"
LARGE = b"x" * (BUFFER // 2)
"""More than the kernel takes at once."""
SMALL = 4096
"""Bytes that the kernel keeps for each end of a connection; it doubles them."""


def make_worker(worker_class: Any, app: Any, certificate: Certificate | None = None) -> Any:
    """One that accepts nothing: a test gives it its connections. With a certificate: over TLS."""
    config = Config()
    if certificate:
        config.set("certfile", str(certificate.certificate))
        config.set("keyfile", str(certificate.key))
    worker = worker_class(1, os.getppid(), [], None, 30, config, Logger(config))
    worker.wsgi, worker.nr_conns = app, 1
    return worker


def worker_class_of(name: str) -> Any:
    """Of `WEB_WORKER_CLASS`; skips where gevent is not installed."""
    if name == "gthread":
        return PatientWorker
    pytest.importorskip("gevent")
    return pytest.importorskip("gunicorn.workers.ggevent").GeventWorker


@contextmanager
def serving(worker: Any) -> Iterator[socket.socket]:
    """A client's end, whose other end the worker handles on a thread; both ends hold little."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
        client.settimeout(20)
        client.connect(listener.getsockname())
        ours, address = listener.accept()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
        thread = threading.Thread(target=_handle, args=(worker, listener, ours, address))
        thread.start()
        try:
            yield client
        finally:
            client.close()
            thread.join(20)
            worker.tmp.close()
        assert not thread.is_alive()


def _handle(worker: Any, listener: socket.socket, ours: socket.socket, address: Any) -> None:
    if isinstance(worker, PatientWorker):
        conn = TConn(worker.cfg, ours, address, listener.getsockname())
        worker.handle(conn)
        conn.sock.close()
    else:
        worker.handle(listener, ours, address)


class SteeredSubscription(Subscription):
    """One whose stream's thread takes nothing until it may."""

    def __init__(self) -> None:
        self.may_take, self.has_begun = threading.Event(), threading.Event()
        self.has_ended = threading.Event()
        super().__init__(10, Extent(pruned_to=0, newest=10), lambda _: self.has_ended.set())

    def go_live(self, after: int, connection: Connection | None) -> None:
        super().go_live(after, connection)
        self.has_begun.set()

    def take(self, timeout: float) -> bytes | None:
        assert self.may_take.wait(20)
        return super().take(timeout)


def read_to_end(client: socket.socket) -> bytes:
    """All that comes until the server has closed its end."""
    return b"".join(iter(lambda: client.recv(65536), b""))


def steer(monkeypatch: pytest.MonkeyPatch) -> SteeredSubscription:
    """The subscription that the next client is given."""
    steered = SteeredSubscription()
    monkeypatch.setattr(feed, "subscribe", lambda _holder: steered)
    return steered


@contextmanager
def streaming(client: socket.socket, stream: SteeredSubscription) -> Iterator[socket.socket]:
    """The client once it has opened the stream, of which it reads nothing by itself."""
    client.sendall(ASK)
    assert stream.has_begun.wait(20)
    yield client
    stream.end()
    stream.may_take.set()


def note_giving_up(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set once the server has given up a write, which from now on it does after half a second."""
    write, has_given_up = Connection.write, threading.Event()

    def watched(connection: Connection, data: bytes) -> bool:
        done = write(connection, data)
        if not done:
            has_given_up.set()
        return done

    monkeypatch.setattr(subscriptions, "WRITE_TIMEOUT", 0.5)
    monkeypatch.setattr(Connection, "write", watched)
    return has_given_up
