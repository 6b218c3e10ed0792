"""One stream's events on a real socket: written at once, or left to the stream's thread."""

import socket
import threading
from collections.abc import Iterator

import pytest

from crm.api.frames import PIECE, Batch, LiveEvent, batches, ephemeral_frame
from crm.api.subscription import BUFFER, Connection, Subscription
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


def batch(*numbers: int, mentions: bytes = b"", text: bytes = b"{}") -> Batch:
    return Batch([event(number, text) for number in numbers], mentions)


def test_an_event_goes_out_at_once_in_a_chunk_of_its_own(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    subscription = subscribe()
    subscription.go_live(10, Connection(ends[0], is_chunked=True))
    subscription.offer(batch(11))
    assert ends[1].recv(1000) == b"11\r\nid: 11\ndata: {}\n\n\r\n"
    assert subscription.take(0) == b""


def test_what_the_replay_has_written_is_not_written_again_by_a_feed_that_lags(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    """Seen in a soak: a stream that opened at 10 got event 10 from a feed that stood at 9."""
    subscription = subscribe()
    subscription.offer(batch(9))
    subscription.go_live(10, Connection(ends[0], is_chunked=False))
    subscription.offer(batch(10))
    subscription.offer(batch(11))
    assert ends[1].recv(1000) == event(11).frame


def test_events_that_came_during_the_replay_go_first(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    subscription = subscribe()
    subscription.offer(batch(11))
    connection = Connection(ends[0], is_chunked=False)
    subscription.go_live(10, connection)
    subscription.offer(batch(12))
    data = subscription.take(0)
    assert data == event(11).frame + event(12).frame
    subscription.offer(batch(13))
    connection.write(data)
    assert subscription.take(0) == event(13).frame


def test_events_that_came_together_go_out_in_one_chunk(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    subscription = subscribe()
    subscription.go_live(10, Connection(ends[0], is_chunked=True))
    subscription.offer(batch(11, 12, 13))
    frames = b"".join(event(number).frame for number in (11, 12, 13))
    assert ends[1].recv(1000) == b"%X\r\n%s\r\n" % (len(frames), frames)


@pytest.mark.parametrize("is_early", [True, False])
def test_of_a_batch_that_the_replay_has_read_half_only_the_rest_is_written(
    ends: tuple[socket.socket, socket.socket], is_early: bool
) -> None:
    subscription, connection = subscribe(), Connection(ends[0], is_chunked=True)
    if is_early:
        subscription.offer(batch(9, 10, 11, 12))
    subscription.go_live(10, connection)
    if not is_early:
        subscription.offer(batch(9, 10, 11, 12))
    connection.write(subscription.take(0) or b"")
    frames = event(11).frame + event(12).frame
    assert ends[1].recv(1000) == b"%X\r\n%s\r\n" % (len(frames), frames)


def test_a_mention_goes_out_at_once_and_only_where_nothing_waits(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    frame = ephemeral_frame(b"{}")
    mention = Batch([], frame)
    subscription = subscribe()
    subscription.offer(mention)  # still replaying
    connection = Connection(ends[0], is_chunked=False)
    subscription.offer(batch(11, mentions=frame))
    subscription.go_live(10, connection)
    subscription.offer(mention)  # an event waits
    connection.write(subscription.take(0) or b"")
    subscription.offer(batch(12, mentions=frame))  # the stream's own thread may still be writing
    connection.write(subscription.take(0) or b"")
    assert subscription.take(0) == b""
    subscription.offer(mention)
    assert ends[1].recv(1000) == event(11).frame + event(12).frame + frame


def test_a_mention_follows_the_events_that_it_came_with(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    subscription = subscribe()
    subscription.go_live(10, Connection(ends[0], is_chunked=True))
    subscription.offer(batch(11, 12, mentions=ephemeral_frame(b"{}")))
    events = event(11).frame + event(12).frame
    expected = b"%X\r\n%s\r\n" % (len(events), events) + b"A\r\ndata: {}\n\n\r\n"
    assert ends[1].recv(1000) == expected


def test_mentions_pile_up_for_nobody(ends: tuple[socket.socket, socket.socket]) -> None:
    """Whoever reads nothing has at most one begun message more to read, and is not ended."""
    left: list[Subscription] = []
    subscription = subscribe(left)
    subscription.go_live(10, Connection(ends[0], is_chunked=False))
    mention = Batch([], ephemeral_frame(b"x" * 20_000))
    for _ in range(3 * BUFFER // 20_000):
        subscription.offer(mention)
    assert left == []
    assert len(subscription.take(0) or b"") < len(mention.mentions)
    subscription.offer(mention)
    assert subscription.take(0) == b"", "a socket that takes nothing is asked for nothing"


def test_an_event_is_not_lost_with_the_mention_that_a_full_socket_does_not_take(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    subscription, connection = subscribe(), Connection(ends[0], is_chunked=False)
    subscription.go_live(10, connection)
    filled = 0
    while not connection.try_write(b"x" * 1000):
        filled += 1000
    subscription.offer(batch(11, mentions=ephemeral_frame(b"{}")))
    assert subscription.take(0) == event(11).frame


def test_a_long_run_of_events_is_cut_and_stays_in_order() -> None:
    """Else a client that takes half of it holds a copy of the other half by itself."""
    events = [event(number, b"x" * 1000) for number in range(11, 511)]
    cut = list(batches(events, b"mention"))
    assert [one for piece in cut for one in piece.events] == events
    assert max(len(piece.plain.events) for piece in cut) <= PIECE
    assert len(cut) == 1 + sum(len(one.frame) for one in events) // PIECE
    assert [piece.mentions for piece in cut] == [b""] * (len(cut) - 1) + [b"mention"]


def test_a_slow_client_gets_every_byte_in_order(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    subscription = subscribe()
    connection = Connection(ends[0], is_chunked=False)
    subscription.go_live(10, connection)
    expected = b""
    for number in range(11, 61, 5):
        together = batch(*range(number, number + 5), text=b"x" * 5_000)
        subscription.offer(together)
        expected += together.plain.events
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


@pytest.mark.parametrize("is_live", [True, False])
@pytest.mark.parametrize("together", [1, 20])
def test_a_client_that_is_too_far_behind_gets_the_end(is_live: bool, together: int) -> None:
    """Bytes count, however many events come at a time. Without the limit it was never ended."""
    left: list[Subscription] = []
    subscription = subscribe(left)
    if is_live:
        subscription.go_live(10, None)
    one = len(event(99, b"x" * 1000).frame)
    for number in range(11, 11 + BUFFER // one // together * together, together):
        subscription.offer(batch(*range(number, number + together), text=b"x" * 990))
    assert left == []
    for number in range(20_000, 20_040, together):
        subscription.offer(batch(*range(number, number + together), text=b"x" * 990))
    assert left[:1] == [subscription]
    if not is_live:
        subscription.go_live(10, None)
    assert subscription.take(0) is None


def test_one_batch_is_taken_however_large_it_is() -> None:
    """Else nobody could ever get past it."""
    left: list[Subscription] = []
    subscription = subscribe(left)
    subscription.go_live(10, None)
    subscription.offer(batch(11, text=b"x" * (BUFFER + 1)))
    assert left == []
    assert len(subscription.take(0) or b"") > BUFFER


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
    subscription.offer(batch(11))
    assert subscription in left
    assert subscription.take(0) is None
