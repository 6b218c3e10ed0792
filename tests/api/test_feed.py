"""The feed on a real channel and a real event log: what comes together goes out together."""

import re
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from redis import Redis

from crm.api.feed import EventFeed
from crm.api.subscription import Connection
from crm.events import CustomerDeleted, PresenceChanged
from crm.hints import sse_message
from crm.transaction import transaction
from tests.kit.app import Backend
from tests.kit.redis_server import RedisServer
from tests.kit.waiting import eventually

CHANNEL = "test:feed:events"
CHUNK = re.compile(rb"([0-9A-F]+)\r\n")
PRESENCE = PresenceChanged(customer_id=1, at="2026-11-23T16:56:44.322135", present=[])
Published = tuple[int, bytes]


class Page:
    """A browser's side of one stream: `chunks`, each as it was written."""

    def __init__(self, feed: EventFeed) -> None:
        ours, self._theirs = socket.socketpair()
        self._ours = ours
        self._theirs.settimeout(20)
        self._rest = b""
        self.chunks: list[bytes] = []
        self.subscription = feed.subscribe()
        self.subscription.go_live(self.subscription.start, Connection(ours, is_chunked=True))

    def read_until(self, event_id: int) -> list[int]:
        """All ids so far, in order of arrival, once this one is among them."""
        while event_id not in self.ids():
            self._rest += self._theirs.recv(1_000_000)
            while (size := CHUNK.match(self._rest)) and len(self._rest) >= (
                end := size.end() + int(size[1], 16) + 2
            ):
                self.chunks.append(self._rest[size.end() : end - 2])
                self._rest = self._rest[end:]
        return self.ids()

    def ids(self) -> list[int]:
        return [int(found) for found in re.findall(rb"^id: (\d+)$", b"".join(self.chunks), re.M)]

    def mentions(self) -> int:
        """Frames without an id."""
        return sum(frame.startswith(b"data: ") for frame in b"".join(self.chunks).split(b"\n\n"))

    def close(self) -> None:
        self.subscription.close()
        self._ours.close()
        self._theirs.close()


class Rest:
    """The feed's, between two writes, for as long as the test wants."""

    def __init__(self, *, is_over: bool = False) -> None:
        self._begun, self._over = threading.Event(), threading.Event()
        if is_over:
            self._over.set()

    def __call__(self, _seconds: float) -> None:
        self._begun.set()
        assert self._over.wait(60)

    def wait_until_begun(self) -> None:
        assert self._begun.wait(20)

    def end(self) -> None:
        self._over.set()


@pytest.fixture
def redis(redis_server: RedisServer) -> Iterator["Redis[bytes]"]:
    with Redis.from_url(redis_server.url) as client:
        yield client


@contextmanager
def open_page(backend: Backend, redis: "Redis[bytes]", rest: Rest | None = None) -> Iterator[Page]:
    """A stream on a feed of the test's own, which listens."""
    rest = rest or Rest(is_over=True)
    feed, stop = EventFeed(), threading.Event()
    feed.is_stopping, feed.sleep = stop.is_set, rest
    reader: Redis[bytes] = Redis.from_url(url_of(redis), socket_timeout=5)
    feed.init_app(backend.app, redis=reader, channel=CHANNEL, max_streams=10, per_holder=10)
    page = Page(feed)
    try:
        eventually(lambda: redis.pubsub_numsub(CHANNEL)[0][1] == 1, timeout=20)
        yield page
    finally:
        stop.set()
        rest.end()
        eventually(lambda: redis.pubsub_numsub(CHANNEL)[0][1] == 0, timeout=20)
        page.close()
        reader.close()


def url_of(redis: "Redis[bytes]") -> str:
    options = redis.connection_pool.connection_kwargs
    return f"redis://{options['host']}:{options['port']}/{options['db']}"


def commit(backend: Backend, count: int) -> list[Published]:
    """Events of the log, of which nobody was told yet."""
    before = len(backend.published)
    with backend.app.app_context():
        for _ in range(count):
            with transaction() as tx:
                tx.record(CustomerDeleted(customer_id=1))
    return backend.published[before:]


def tell(redis: "Redis[bytes]", events: Sequence[Published | PresenceChanged]) -> None:
    pipeline = redis.pipeline(transaction=False)
    for event in events:
        hint = (
            sse_message(*event) if isinstance(event, tuple) else sse_message(None, event.to_json())
        )
        pipeline.publish(CHANNEL, hint)
    pipeline.execute()


def test_the_first_event_waits_for_no_other_and_those_after_it_go_out_together(
    backend: Backend, redis: "Redis[bytes]"
) -> None:
    rest = Rest()
    with open_page(backend, redis, rest) as page:
        [first] = commit(backend, 1)
        tell(redis, [first])
        assert page.read_until(first[0]) == [first[0]]
        rest.wait_until_begun()
        events = commit(backend, 300)
        for event in events:
            tell(redis, [event])
        rest.end()
        expected = [event_id for event_id, _ in [first, *events]]
        assert page.read_until(events[-1][0]) == expected
        assert len(page.chunks) == 2


def test_hints_of_two_processes_that_cross_are_put_in_order(
    backend: Backend, redis: "Redis[bytes]"
) -> None:
    with open_page(backend, redis) as page:
        events = commit(backend, 60)
        for first in range(0, 60, 6):
            tell(redis, events[first : first + 6][::-1])
        assert page.read_until(events[-1][0]) == [event_id for event_id, _ in events]


def test_a_hint_that_is_lost_in_a_burst_is_read_from_the_table(
    backend: Backend, redis: "Redis[bytes]"
) -> None:
    with open_page(backend, redis) as page:
        events = commit(backend, 30)
        tell(redis, events[:10] + events[11:20] + events[25:])
        assert page.read_until(events[-1][0]) == [event_id for event_id, _ in events]


def test_presence_between_events_takes_none_of_them_away(
    backend: Backend, redis: "Redis[bytes]"
) -> None:
    with open_page(backend, redis) as page:
        events = commit(backend, 20)
        tell(redis, [told for event in events for told in (event, PRESENCE)])
        page.read_until(events[-1][0])
        [last] = commit(backend, 1)
        tell(redis, [last])
        expected = [event_id for event_id, _ in [*events, last]]
        assert page.read_until(last[0]) == expected
        assert page.mentions() == 20
