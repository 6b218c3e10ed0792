"""Clients that begin a request and never finish it: their threads come back."""

import socket
from contextlib import ExitStack

import httpx
import pytest

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
