"""A stream where gunicorn itself has the certificate."""

import socket
import threading
from collections.abc import Iterator

import pytest

from config.patient_worker import PatientWorker
from crm.api import stream as streams
from crm.api import subscription as subscriptions
from crm.api.feed import feed
from crm.api.frames import Batch, LiveEvent, ephemeral_frame
from crm.api.subscription import BUFFER, Connection
from tests.kit.app import Backend
from tests.kit.certificate import NAME, Certificate
from tests.kit.server_ends import SteeredSubscription, make_worker, read_to_end, serving

ASK = b"GET /messages/events/stream HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
END = b"0\r\n\r\n"


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> SteeredSubscription:
    """The one that the next client is given; that it has left is soon noticed."""
    monkeypatch.setattr(streams, "LOOK_EVERY", 0.05)
    steered = SteeredSubscription()
    monkeypatch.setattr(feed, "subscribe", lambda _holder: steered)
    return steered


@pytest.fixture
def short_write_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "WRITE_TIMEOUT", 0.5)


@pytest.fixture
def client(
    backend: Backend, stream: SteeredSubscription, certificate: Certificate
) -> Iterator[socket.socket]:
    """Whoever opened the stream, and reads nothing of itself."""
    with serving(make_worker(PatientWorker, backend.app, certificate)) as plain:
        with certificate.client_context().wrap_socket(plain, server_hostname=NAME) as client:
            client.sendall(ASK)
            assert stream.has_begun.wait(20)
            yield client
            stream.end()
            stream.may_take.set()


def event(number: int, text: bytes = b"{}") -> Batch:
    return Batch([LiveEvent.of(number, text)], ephemeral_frame(b"[]"))


def test_all_that_is_written_is_encrypted(
    client: socket.socket, stream: SteeredSubscription
) -> None:
    """Seen to fail: the feed's thread wrote past TLS, to the descriptor itself."""
    stream.offer(event(11))
    stream.may_take.set()
    answer = b""
    while b"data: []" not in answer:
        answer += client.recv(65536)
    stream.offer(event(12))
    stream.end()
    answer += read_to_end(client)
    assert b"id: 11\ndata: {}\n\n" in answer
    assert answer.endswith(b"\r\n" + END)


def test_a_client_that_takes_an_event_too_slowly_is_cut(
    short_write_timeout: None,  # before the client comes
    client: socket.socket,
    stream: SteeredSubscription,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write, has_given_up = Connection.write, threading.Event()

    def watched(connection: Connection, data: bytes) -> bool:
        done = write(connection, data)
        if not done:
            has_given_up.set()
        return done

    monkeypatch.setattr(Connection, "write", watched)
    stream.offer(event(11, b"x" * (BUFFER // 2)))
    stream.may_take.set()
    assert has_given_up.wait(60)
    assert not read_to_end(client).endswith(END)


def test_a_client_that_has_left_is_noticed(
    client: socket.socket, stream: SteeredSubscription
) -> None:
    stream.may_take.set()
    client.close()
    assert stream.has_ended.wait(20)
