"""The board on a real Redis that freezes, is slow, or has others at it: nobody waits for long."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from redis import Connection, ConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from structlog.testing import capture_logs

from crm.presence import TRIES_FOR, PresenceBoard, PresenceState
from tests.kit.redis_server import RedisServer
from tests.kit.waiting import eventually

MIA = {"kind": "agent", "id": 1, "name": "Mia"}
FEW = 3
"""Connections that the board's client may have."""


class WatchedConnection(Connection):
    """Tells when a command was answered."""

    answered: Callable[[str], None] = staticmethod(lambda name: None)
    _name = ""

    def send_command(self, *args: Any, **options: Any) -> None:
        self._name = str(args[0])
        super().send_command(*args, **options)

    def read_response(self, *args: Any, **options: Any) -> Any:
        answer = super().read_response(*args, **options)
        name, self._name = self._name, ""
        self.answered(name)
        return answer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path / "redis")
    server.start()
    try:
        yield server
    finally:
        server.end()


@pytest.fixture
def connection() -> type[WatchedConnection]:
    """A class of the test's own."""
    return type("OwnConnection", (WatchedConnection,), {})


@pytest.fixture
def redis(server: RedisServer, connection: type[WatchedConnection]) -> Iterator["Redis[Any]"]:
    pool = ConnectionPool.from_url(
        server.url,
        connection_class=connection,
        max_connections=FEW,
        socket_timeout=0.5,
        socket_connect_timeout=0.5,
        retry=Retry(NoBackoff(), 0),
    )
    with Redis(connection_pool=pool) as client:
        yield client
    pool.disconnect()


@pytest.fixture
def board(redis: "Redis[Any]") -> PresenceBoard:
    return new_board(redis)


def new_board(redis: "Redis[Any]") -> PresenceBoard:
    board = PresenceBoard()
    board.init_app(redis=redis, channel="events", prefix="crm:")
    return board


def note(board: PresenceBoard, client_id: str = "a") -> list[str]:
    """Who is there, once this browser has said that it is."""
    told = board.note(7, PresenceState.VIEWING, client_id=client_id, agent=MIA)
    return [each["client_id"] for each in told.present]


def test_a_redis_that_freezes_after_the_reading_costs_one_wait_and_no_connection(
    server: RedisServer, connection: type[WatchedConnection], redis: "Redis[Any]"
) -> None:
    note(new_board(redis), "other")
    connection.answered = lambda _, name: server.freeze() if name == "GET" else None  # type: ignore[assignment, misc]
    for _ in range(2 * FEW):
        began = time.perf_counter()
        assert note(new_board(redis), "a") == ["a"]
        assert time.perf_counter() - began < 1.5
        server.thaw()
    del connection.answered
    assert redis.ping(), "every connection of the pool is lost"
    assert {"other", "b"} <= set(note(new_board(redis), "b"))


def test_who_is_never_fast_enough_is_alone_soon_and_the_log_says_it_once(
    server: RedisServer, connection: type[WatchedConnection], board: PresenceBoard
) -> None:
    slowness, readings = 0.2, []

    def hinder(_: object, name: str) -> None:
        """Each answer takes its time, and somebody else writes after each reading."""
        time.sleep(slowness)
        if name == "GET":
            readings.append(name)
            other.set("crm:presence:7", f"[{len(readings)}]")

    connection.answered = hinder  # type: ignore[assignment]
    with server.client() as other, capture_logs() as lines:
        assert note(board) == ["a"]
        assert len(readings) <= TRIES_FOR / slowness + 1

        def was_tried_again() -> bool:
            assert note(board) == ["a"]
            return len(readings) > 10

        eventually(was_tried_again, timeout=20)
        assert other.get("crm:presence:7") == f"[{len(readings)}]"
    told = [line["event"] for line in lines if line["event"].startswith("presence")]
    assert told == ["presence_unknown"]
    del connection.answered
    eventually(lambda: note(board, "a") and sorted(note(board, "b")) == ["a", "b"])


def test_of_many_who_speak_at_once_none_is_lost(redis: "Redis[Any]", server: RedisServer) -> None:
    with server.client() as listener, listener.pubsub(ignore_subscribe_messages=True) as channel:
        channel.subscribe("events")
        channel.get_message(timeout=1)
        speakers = [
            Thread(target=note, args=(new_board(redis), f"tab-{number}")) for number in range(FEW)
        ]
        for speaker in speakers:
            speaker.start()
        for speaker in speakers:
            speaker.join()
        told = [channel.get_message(timeout=1) for _ in speakers]
        assert [message["data"].count("client_id") for message in told if message] == [1, 2, 3]
