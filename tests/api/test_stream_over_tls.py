"""A stream where gunicorn itself has the certificate."""

import socket
import threading
from collections.abc import Iterator

import pytest

from config.patient_worker import PatientWorker
from crm.api import stream as streams
from crm.api.frames import Batch, LiveEvent, ephemeral_frame
from tests.kit.app import Backend
from tests.kit.certificate import NAME, Certificate
from tests.kit.server_ends import (
    END,
    LARGE,
    SteeredSubscription,
    make_worker,
    note_giving_up,
    read_to_end,
    serving,
    steer,
    streaming,
)


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> SteeredSubscription:
    """The one that the next client is given; that it has left is soon noticed."""
    monkeypatch.setattr(streams, "LOOK_EVERY", 0.05)
    return steer(monkeypatch)


@pytest.fixture
def has_given_up(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """That a client was too slow; before it comes."""
    return note_giving_up(monkeypatch)


@pytest.fixture
def client(
    backend: Backend, stream: SteeredSubscription, certificate: Certificate
) -> Iterator[socket.socket]:
    """Whoever opened the stream, and reads nothing of itself."""
    with serving(make_worker(PatientWorker, backend.app, certificate)) as plain:
        with certificate.client_context().wrap_socket(plain, server_hostname=NAME) as client:
            with streaming(client, stream):
                yield client


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
    has_given_up: threading.Event, client: socket.socket, stream: SteeredSubscription
) -> None:
    stream.offer(event(11, LARGE))
    stream.may_take.set()
    assert has_given_up.wait(60)
    assert not read_to_end(client).endswith(END)


def test_a_client_that_has_left_is_noticed(
    client: socket.socket, stream: SteeredSubscription
) -> None:
    stream.may_take.set()
    client.close()
    assert stream.has_ended.wait(20)
