"""One stream's events on a real socket: written at once, or left to the stream's thread."""

import socket
import threading
from collections.abc import Iterator

import pytest

from crm.api.subscription import (
    BUFFER,
    Connection,
    LiveEvent,
    Subscription,
    ephemeral_frame,
)
from crm.queries.events import Extent

EXTENT = Extent(pruned_to=0, newest=10)


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    theirs.settimeout(5)
    with ours, theirs:
        yield ours, theirs


def subscribe(left: list[Subscription] | None = None) -> Subscription:
    return Subscription(8, EXTENT, (left if left is not None else []).append)


def event(number: int, text: bytes = b"{}") -> LiveEvent:
    return LiveEvent.of(number, text)


def test_an_event_goes_out_at_once_in_a_chunk_of_its_own(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    subscription = subscribe()
    subscription.go_live(10, Connection(ends[0], is_chunked=True))
    subscription.offer(event(11))
    assert ends[1].recv(1000) == b"11\r\nid: 11\ndata: {}\n\n\r\n"
    assert subscription.take(0) == b""


def test_what_the_replay_has_written_is_not_written_again_by_a_feed_that_lags(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    """Seen in a soak: a stream that opened at 10 got event 10 from a feed that stood at 9."""
    subscription = subscribe()
    subscription.offer(event(9))
    subscription.go_live(10, Connection(ends[0], is_chunked=False))
    subscription.offer(event(10))
    subscription.offer(event(11))
    assert ends[1].recv(1000) == event(11).frame


def test_events_that_came_during_the_replay_go_first(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    subscription = subscribe()
    subscription.offer(event(11))
    connection = Connection(ends[0], is_chunked=False)
    subscription.go_live(10, connection)
    subscription.offer(event(12))
    data = subscription.take(0)
    assert data == event(11).frame + event(12).frame
    subscription.offer(event(13))
    connection.write(data)
    assert subscription.take(0) == event(13).frame


def test_a_mention_goes_out_at_once_and_only_where_nothing_waits(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    frame = ephemeral_frame(b"{}")
    subscription = subscribe()
    subscription.mention(frame)  # still replaying
    connection = Connection(ends[0], is_chunked=False)
    subscription.offer(event(11))
    subscription.go_live(10, connection)
    subscription.mention(frame)  # an event waits
    connection.write(subscription.take(0) or b"")
    subscription.mention(frame)  # the stream's own thread may still be writing
    assert subscription.take(0) == b""
    subscription.mention(frame)
    assert ends[1].recv(1000) == event(11).frame + b"data: {}\n\n"


def test_mentions_pile_up_for_nobody(ends: tuple[socket.socket, socket.socket]) -> None:
    """Whoever reads nothing has at most one begun message more to read, and is not ended."""
    left: list[Subscription] = []
    subscription = subscribe(left)
    subscription.go_live(10, Connection(ends[0], is_chunked=False))
    frame = ephemeral_frame(b"x" * 20_000)
    for _ in range(3 * BUFFER):
        subscription.mention(frame)
    assert left == []
    assert len(subscription.take(0) or b"") < len(frame)
    subscription.mention(frame)
    assert subscription.take(0) == b"", "a socket that takes nothing is asked for nothing"


def test_a_slow_client_gets_every_byte_in_order(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    subscription = subscribe()
    connection = Connection(ends[0], is_chunked=False)
    subscription.go_live(10, connection)
    expected = b""
    for number in range(11, 61):
        subscription.offer(event(number, b"x" * 20_000))
        expected += event(number, b"x" * 20_000).frame
    received = bytearray()

    def read() -> None:
        while len(received) < len(expected):
            received.extend(ends[1].recv(50_000))

    reader = threading.Thread(target=read)
    reader.start()
    while data := subscription.take(0):
        assert connection.write(data)
    reader.join(10)
    assert bytes(received) == expected


def test_a_client_that_is_too_far_behind_gets_the_end() -> None:
    """Seen to fail in a copy without the limit: it was never ended."""
    left: list[Subscription] = []
    subscription = subscribe(left)
    for number in range(11, 12 + BUFFER):
        subscription.offer(event(number))
    assert left == [subscription]
    subscription.go_live(10, None)
    assert subscription.take(0) is None


def test_a_connection_that_is_gone_ends_the_subscription(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    left: list[Subscription] = []
    subscription = subscribe(left)
    connection = Connection(ends[0], is_chunked=False)
    subscription.go_live(10, connection)
    assert not connection.is_gone()
    ends[1].close()
    assert connection.is_gone()
    subscription.offer(event(11))
    assert subscription in left
    assert subscription.take(0) is None
