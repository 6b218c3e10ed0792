"""gunicorn's own TLS, for whoever has no proxy in front: on where it is asked for, and patient."""

import http.client
import os
import socket
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from gunicorn.config import Config
from gunicorn.errors import ConfigError

from config import patient_worker
from config.patient_worker import PatientWorker
from config.settings import PROJECT_ROOT
from tests.kit.certificate import NAME, Certificate
from tests.kit.plain_app import app
from tests.kit.ports import free_port
from tests.kit.programs import Program
from tests.kit.server_ends import make_worker, read_to_end, serving
from tests.kit.waiting import eventually


def request(path: str, body: bytes = b"") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


LONG = b"a" * (8192 + 4000 - len(request("/1", b"a" * 4000)))
"""The body of a request that is as long as what is read at once, half of what TLS encrypts so."""


def ask(port: int, context: ssl.SSLContext) -> bytes:
    client = http.client.HTTPSConnection("localhost", port, timeout=20, context=context)
    try:
        client.request("GET", "/hello")
        return client.getresponse().read()
    finally:
        client.close()


@contextmanager
def connect(port: int, context: ssl.SSLContext) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as plain:
        with context.wrap_socket(plain, server_hostname=NAME) as client:
            yield client


def receive_until(client: socket.socket, end: bytes) -> bytes:
    answer = b""
    while not answer.endswith(end):
        received = client.recv(65536)
        assert received, f"it ends with {answer[-20:]!r}"
        answer += received
    return answer


@pytest.fixture
def port(certificate: Certificate, tmp_path: Path) -> Iterator[int]:
    """Of a real gunicorn with one thread, which is told of the certificate as operators do."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--worker-class",
        "config.patient_worker.PatientWorker", "--threads", "1", "--keep-alive", "30",
        "--no-control-socket",
        "tests.kit.plain_app:app"]  # fmt: skip
    arguments = f"--certfile={certificate.certificate} --keyfile={certificate.key}"
    environment = {"PATH": os.defpath, "GUNICORN_CMD_ARGS": arguments}
    server = Program(command, environment=environment, log=tmp_path / "log", directory=PROJECT_ROOT)
    server.start()
    try:
        eventually(lambda: socket.create_connection(("127.0.0.1", port)).close() or True)
        yield port
    finally:
        server.end()


def test_whoever_has_no_tls_is_answered_nothing(port: int, certificate: Certificate) -> None:
    """Seen to fail: everybody was answered in the clear, and nobody over TLS."""
    assert ask(port, certificate.client_context()) == b"/hello"
    with pytest.raises(ssl.SSLCertVerificationError):
        ask(port, ssl.create_default_context())
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(request("/hello"))
        assert b"/hello" not in read_to_end(client)


def test_what_came_in_one_record_is_all_answered(port: int, certificate: Certificate) -> None:
    """With more connections than threads, where gunicorn waits for the next request."""
    context = certificate.client_context()
    with connect(port, context) as other:
        other.sendall(request("/0"))
        assert receive_until(other, b"/0")
        with connect(port, context) as client:
            client.sendall(request("/1", LONG) + request("/2"))
            assert b"/1" + LONG in receive_until(client, b"/2")


def test_a_thread_that_lingers_finds_what_came_in_one_record(certificate: Certificate) -> None:
    with serving(make_worker(PatientWorker, app, certificate)) as plain:
        context = certificate.client_context()
        with context.wrap_socket(plain, server_hostname=NAME) as client:
            client.sendall(request("/1", LONG) + request("/2"))
            assert read_to_end(client).endswith(b"/2")


@pytest.mark.parametrize("sent", [b"\x16", b"\x16\x03\x01\x02\x00\x01"])
def test_who_does_not_go_on_with_the_handshake_is_given_up(
    certificate: Certificate, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(patient_worker, "PATIENCE", 0.2)
    with serving(make_worker(PatientWorker, app, certificate)) as client:
        client.sendall(sent)
        assert read_to_end(client) == b""


def test_who_does_not_go_on_with_a_request_is_given_up(
    certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = patient_worker.PatientUnreader.begin

    def begin_late(unreader: patient_worker.PatientUnreader) -> None:
        begin(unreader)
        unreader.deadline -= patient_worker.PATIENCE - 0.2

    monkeypatch.setattr(patient_worker.PatientUnreader, "begin", begin_late)
    with serving(make_worker(PatientWorker, app, certificate)) as plain:
        context = certificate.client_context()
        with context.wrap_socket(plain, server_hostname=NAME) as client:
            client.sendall(request("/1", LONG)[:-1])
            assert read_to_end(client) == b""


def test_http2_is_refused_as_it_would_be_answered_in_http1() -> None:
    config = Config()
    config.set("http_protocols", "h2,h1")
    with pytest.raises(ConfigError, match="HTTP/2"):
        PatientWorker.check_config(config, None)
