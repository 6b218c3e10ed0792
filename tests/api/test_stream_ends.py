"""How a stream ends: properly between two events, and in the midst of one by a cut.

An answer in chunks ends with `0`, and an empty line. A client that gets them in the midst of an
event takes its beginning for the whole, and goes on behind it: the event is lost for good.
"""

import re
import socket
import threading
from collections.abc import Iterator

import pytest

from crm.api.frames import Batch, LiveEvent, ephemeral_frame
from tests.kit.app import Backend
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
    worker_class_of,
)


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> SteeredSubscription:
    """The one that the next client is given."""
    return steer(monkeypatch)


@pytest.fixture
def has_given_up(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """That a client was too slow; before it comes."""
    return note_giving_up(monkeypatch)


@pytest.fixture(params=["gthread", "gevent"])
def client(
    request: pytest.FixtureRequest, backend: Backend, stream: SteeredSubscription
) -> Iterator[socket.socket]:
    """Whoever opened the stream, and reads nothing of itself."""
    with serving(make_worker(worker_class_of(request.param), backend.app)) as client:
        with streaming(client, stream):
            yield client


def event(number: int, text: bytes = b"{}") -> Batch:
    return Batch([LiveEvent.of(number, text)])


def ids_of(answer: bytes) -> list[int]:
    """Of the events that a client takes for whole, who reads whatever comes and is not strict."""
    lines = answer.replace(b"\r\n", b"\n")
    return [int(found) for found in re.findall(rb"^id: (\d+)\ndata: .*\n(?:.*\n)*?\n", lines, re.M)]


def test_between_two_events_the_server_ends_it(
    client: socket.socket, stream: SteeredSubscription
) -> None:
    stream.offer(event(11))
    stream.end()
    stream.may_take.set()
    answer = read_to_end(client)
    assert ids_of(answer) == [11]
    assert answer.endswith(b"\r\n" + END)


def test_an_end_in_the_midst_of_an_event_cuts_it(
    client: socket.socket, stream: SteeredSubscription
) -> None:
    """Seen to fail: a session that was over, or the end of a process."""
    stream.offer(event(11))
    stream.offer(event(12, LARGE))
    stream.end()
    stream.may_take.set()
    answer = read_to_end(client)
    assert ids_of(answer) == [11]
    assert answer.endswith(b"x")


def test_who_is_too_far_behind_in_the_midst_of_an_event_is_cut(
    client: socket.socket, stream: SteeredSubscription
) -> None:
    for number in range(11, 16):
        stream.offer(event(number, LARGE))
    stream.may_take.set()
    assert read_to_end(client).endswith(b"x")


def test_an_end_in_the_midst_of_what_is_no_event_cuts_it_too(
    client: socket.socket, stream: SteeredSubscription
) -> None:
    stream.offer(Batch([], ephemeral_frame(LARGE)))
    stream.end()
    stream.may_take.set()
    assert read_to_end(client).endswith(b"x")


def test_once_the_rest_of_an_event_is_written_the_server_ends_it(
    client: socket.socket, stream: SteeredSubscription
) -> None:
    stream.offer(event(11, LARGE))
    stream.may_take.set()
    answer = client.recv(1)
    while ids_of(answer) != [11]:
        answer += client.recv(65536)
    stream.end()
    assert (answer + read_to_end(client)).endswith(b"\r\n" + END)


def test_a_client_that_takes_an_event_too_slowly_is_cut(
    has_given_up: threading.Event, client: socket.socket, stream: SteeredSubscription
) -> None:
    """Seen to fail: it began to read again before the server wrote the end."""
    stream.offer(event(11))
    stream.offer(event(12, LARGE))
    stream.may_take.set()
    assert has_given_up.wait(60)
    answer = read_to_end(client)
    assert ids_of(answer) == [11]
    assert answer.endswith(b"x")
