"""gunicorn's workers without their processes: one connection at a time, with a client of the test.

Both write to plain sockets here. What they do before and after an application is all their own.
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

SMALL = 4096
"""Bytes that the kernel keeps for each end of a connection; it doubles them."""


def make_worker(worker_class: Any, app: Any) -> Any:
    """One that accepts nothing: a test gives it its connections."""
    config = Config()
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
        with ours:
            worker.handle(TConn(worker.cfg, ours, address, listener.getsockname()))
    else:
        worker.handle(listener, ours, address)


def read_to_end(client: socket.socket) -> bytes:
    """All that comes until the server has closed its end."""
    return b"".join(iter(lambda: client.recv(65536), b""))
