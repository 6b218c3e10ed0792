"""Hints as they arrive on a real channel: many at a time, by halves, and of other makers."""

import threading
from collections.abc import Iterator

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from crm.api import event_channel as module
from crm.api.event_channel import EventChannel, Hint
from crm.hints import sse_message
from tests.kit.redis_server import RedisServer
from tests.kit.waiting import eventually

NAME = "test:channel:events"


@pytest.fixture
def redis(redis_server: RedisServer) -> Iterator["Redis[bytes]"]:
    with Redis.from_url(redis_server.url, retry=Retry(NoBackoff(), 0)) as client:
        yield client


@pytest.fixture
def channel(redis: "Redis[bytes]") -> Iterator[EventChannel]:
    channel = EventChannel(redis, NAME)
    eventually(lambda: redis.pubsub_numsub(NAME)[0][1] == 1, timeout=10)
    assert channel.gather(10) == [], "what Redis says to a subscriber is no hint"
    yield channel
    channel.close()


def test_all_that_has_arrived_is_taken_at_once(
    redis: "Redis[bytes]", channel: EventChannel
) -> None:
    tell(redis, [*range(1, 201), None])
    hints = gather(channel, 201)
    assert hints == [Hint(number, b'{"a":1}') for number in [*range(1, 201), None]]


def test_a_stream_without_end_is_passed_on_all_the_same(
    redis: "Redis[bytes]", channel: EventChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 5)
    tell(redis, [*range(1, 13)])
    gathered = [channel.gather(10)]
    while sum(map(len, gathered)) < 12:
        gathered.append(channel.gather(10))
    assert max(map(len, gathered)) == 5
    assert [hint.id for hints in gathered for hint in hints] == [*range(1, 13)]


def test_hints_that_arrive_by_halves_are_waited_for(
    redis: "Redis[bytes]", channel: EventChannel
) -> None:
    """Each is many times what is read from the channel at a time."""
    large = b'{"a":"%s"}' % (b"x" * 1_000_000)
    pusher = threading.Thread(target=tell, args=(redis, [*range(1, 16)], large))
    pusher.start()
    assert gather(channel, 15) == [Hint(number, large) for number in range(1, 16)]
    pusher.join(10)


def test_a_message_that_flask_sse_wrote_itself_is_understood(
    redis: "Redis[bytes]", channel: EventChannel
) -> None:
    redis.publish(NAME, b'{"data": {"a": "\\u00e9"},\n "type": "greeting", "id": 7}')
    assert gather(channel, 1) == [Hint(7, '{"a":"é"}'.encode())]


def tell(redis: "Redis[bytes]", ids: list[int | None], document: bytes = b'{"a":1}') -> None:
    pipeline = redis.pipeline(transaction=False)
    for event_id in ids:
        pipeline.publish(NAME, sse_message(event_id, document))
    pipeline.execute()


def gather(channel: EventChannel, count: int) -> list[Hint]:
    hints: list[Hint] = []
    while len(hints) < count:
        found = channel.gather(10)
        assert found, f"only {len(hints)} of {count} hints arrived"
        hints += found
    return hints
