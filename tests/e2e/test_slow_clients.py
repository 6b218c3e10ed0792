"""Clients that never finish a request, or send none: what gunicorn itself meets."""

import json
import socket
import time
from contextlib import ExitStack

import httpx
import psutil
import pytest

from config.patient_worker import PATIENCE
from tests.conftest import StackFactory
from tests.kit.stack import Stack
from tests.kit.waiting import eventually

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]
HEAD = b"POST /auth/login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
UNFINISHED = [
    HEAD,
    HEAD + b"Content-Length: 100\r\n\r\n{",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n64\r\n{",
]
TOO_LARGE = {
    "announced": b"Content-Length: 10000000000\r\n\r\n" + b" " * 4096,
    "chunked": b"Transfer-Encoding: chunked\r\n\r\n" + b"10000\r\n%b\r\n" % (b" " * 65536) * 8,
}
"""Bodies that go on behind this for as long as they are read."""
NONSENSE = {
    b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n": 414,
    b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: " + b"x" * 9000 + b"\r\n\r\n": 431,
    b"hello 60123456789\r\n\r\n": 400,
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n": 400,
}


def worker_of(stack: Stack) -> int:
    """The id of the web's one worker."""
    [worker] = psutil.Process(stack.programs["web"].pid).children()
    return worker.pid


def is_answered(stack: Stack) -> bool:
    try:
        answer = httpx.get(stack.url("web", "/healthz"), timeout=3, trust_env=False)
    except httpx.TimeoutException:
        return False
    return answer.status_code == 200


def test_requests_that_never_end_hold_no_thread_for_good(make_stack: StackFactory) -> None:
    stack = make_stack(settings={"WEB_CONCURRENCY": "1", "WEB_THREADS": str(len(UNFINISHED))})
    stack.start("web")
    with ExitStack() as opened:
        for begun in UNFINISHED:
            address = ("127.0.0.1", stack.ports["web"])
            client = opened.enter_context(socket.create_connection(address, timeout=90))
            client.sendall(begun)
            opened.callback(client.close)
        eventually(lambda: is_answered(stack), timeout=90)
        assert not client.recv(4096).startswith(b"HTTP/1.1 5")
    assert "Traceback" not in stack.programs["web"].output()


def test_many_that_are_given_up_at_once_hold_up_nobody(make_stack: StackFactory) -> None:
    """Seen to fail with gunicorn's own parting, 2 s for each on its main thread: nobody was
    answered for minutes, and the worker was killed."""
    stack = make_stack(settings={"WEB_CONCURRENCY": "1"})
    stack.start("web")
    worker = worker_of(stack)
    with ExitStack() as opened:
        clients = []
        for _ in range(40):
            address = ("127.0.0.1", stack.ports["web"])
            clients.append(opened.enter_context(socket.create_connection(address, timeout=90)))
            clients[-1].sendall(HEAD)
        for client in clients:
            assert client.recv(1) == b""  # given up; our own side stays open
        assert is_answered(stack)
    assert worker_of(stack) == worker


def test_what_is_no_http_is_refused_in_the_words_of_all_errors(make_stack: StackFactory) -> None:
    stack = make_stack(settings={"WEB_CONCURRENCY": "1"})
    stack.start("web")
    for sent, status in NONSENSE.items():
        with socket.create_connection(("127.0.0.1", stack.ports["web"]), timeout=30) as client:
            client.sendall(sent)
            head, _, body = client.makefile("rb").read().partition(b"\r\n\r\n")
        assert head.startswith(f"HTTP/1.1 {status} ".encode()), sent[:20]
        assert b"X-Content-Type-Options: nosniff" in head
        assert list(json.loads(body)) == ["detail"]
    assert "60123456789" not in stack.programs["web"].output()


def test_a_body_of_gigabytes_is_refused_before_it_has_come(make_stack: StackFactory) -> None:
    """And whoever sends it can read why, although nobody has read what they sent."""
    stack = make_stack(settings={"WEB_CONCURRENCY": "1"})
    stack.start("web")
    for path in (b"/auth/login", b"/messages/send"):
        for way, body in TOO_LARGE.items():
            began = time.monotonic()
            with socket.create_connection(("127.0.0.1", stack.ports["web"]), timeout=30) as client:
                client.sendall(HEAD.replace(b"/auth/login", path) + body)
                answer, _, told = client.makefile("rb").read().partition(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 413 "), (path, way, answer)
            assert json.loads(told) == {"detail": "The request body is too large."}
            assert time.monotonic() - began < PATIENCE / 2, (path, way)
    assert is_answered(stack)
