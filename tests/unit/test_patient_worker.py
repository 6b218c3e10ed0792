"""A client has so long to say what it wants, and longer the more of it has come."""

import socket
from collections.abc import Iterator

import pytest

from config import patient_worker
from config.patient_worker import SLOWEST, PatientUnreader


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_a_silent_client_is_given_up(
    ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patient_worker, "PATIENCE", 0.05)
    unreader = PatientUnreader(ends[0])
    for _ in range(2):
        with pytest.raises(ConnectionResetError):
            unreader.chunk()
    assert ends[0].gettimeout() is None, "what is written back may take its time"
    ends[1].sendall(b"hello")
    unreader.begin()
    assert unreader.chunk() == b"hello"


def test_what_has_come_earns_time_for_the_rest_and_single_bytes_earn_none(
    ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patient_worker, "PATIENCE", 0.5)
    unreader = PatientUnreader(ends[0])
    first = unreader.deadline
    ends[1].setblocking(False)
    sent = ends[1].send(b"x" * SLOWEST * 4)
    assert sent > SLOWEST
    heard = 0
    while heard < sent:
        heard += len(unreader.chunk(SLOWEST))
    assert unreader.deadline == pytest.approx(first + sent / SLOWEST)
