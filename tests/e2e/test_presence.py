"""Presence over real streams: told by one web process to all, between events, in nobody's way."""

import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import httpx
import psutil
import pytest

from tests.conftest import StackFactory
from tests.kit.event_reader import EventReader
from tests.kit.stack import Stack
from tests.kit.waiting import eventually

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]
STREAM = "/messages/events/stream"


@pytest.fixture
def stack(make_stack: StackFactory) -> Iterator[Stack]:
    """Two web processes."""
    stack = make_stack()
    stack.start("web")
    yield stack


def receive(stack: Stack, number: int) -> dict[str, Any]:
    body = {"phone": "60123456789", "content": f"message {number}"}
    answer = httpx.post(stack.url("web", "/messages/inbox"), json=body, timeout=30)
    assert answer.status_code == 201
    return answer.json()  # type: ignore[no-any-return]


def say(stack: Stack, customer_id: int, state: str, client_id: str) -> dict[str, Any]:
    body = {"state": state, "client_id": client_id}
    path = f"/customers/{customer_id}/presence"
    answer = httpx.put(stack.url("web", path), json=body, timeout=30)
    assert answer.status_code == 200
    return answer.json()  # type: ignore[no-any-return]


def shows(reader: EventReader, states: dict[str, str]) -> Callable[[], bool]:
    """Whether the last that a stream was told is this."""

    def is_shown() -> bool:
        present = reader.mentions[-1]["present"]
        return {each["client_id"]: each["state"] for each in present} == states

    return lambda: bool(reader.mentions) and is_shown()


def processes_with_streams(stack: Stack) -> int:
    """Web processes that hold a client's connection."""
    port = stack.ports["web"]
    workers = psutil.Process(stack.programs["web"].pid).children()
    held = [
        sum(c.status == "ESTABLISHED" and c.laddr.port == port for c in worker.net_connections())
        for worker in workers
    ]
    return sum(count >= 1 for count in held)


def test_every_stream_of_every_process_is_told_and_no_id_moves(stack: Stack) -> None:
    customer_id = receive(stack, 0)["customer_id"]
    with ExitStack() as streams:
        readers = [streams.enter_context(EventReader(stack.url("web", STREAM))) for _ in range(8)]

        def spread() -> int:
            """More streams, until both processes have some."""
            readers.append(streams.enter_context(EventReader(stack.url("web", STREAM))))
            return processes_with_streams(stack) == 2

        eventually(spread)
        for number in range(1, 6):
            say(stack, customer_id, "viewing", f"tab-{number}")
            receive(stack, number)
            say(stack, customer_id, "away", f"tab-{number}")
        say(stack, customer_id, "viewing", "last")
        say(stack, customer_id, "typing", "last")
        for reader in readers:
            reader.wait_for("inbound_message", count=5)
            eventually(shows(reader, {"last": "typing"}))
            assert {mention["type"] for mention in reader.mentions} == {"presence"}
            assert "presence" not in reader.types()
            assert reader.ids == list(range(reader.ids[0], reader.ids[0] + 5))
        reader = readers[0]
        reader.cut()
        receive(stack, 6)
        reader.wait_for("inbound_message", count=6)
        assert reader.ids == list(range(reader.ids[0], reader.ids[0] + 6))


def test_an_event_whose_hint_was_lost_comes_though_mentions_never_pause(stack: Stack) -> None:
    """Seen to fail in a copy that reads the table after silence only."""
    lost = "INSERT INTO events (type, data, created_at) VALUES (?, ?, '2026-01-01 00:00:00.000000')"
    mention = '{"data":{"type":"presence","customer_id":1,"present":[]}}'
    with EventReader(stack.url("web", STREAM)) as reader, stack.redis.client() as redis:

        def mentioned() -> bool:
            redis.publish("crm:events", mention)  # again, since who does not listen yet misses it
            return bool(reader.mentions)

        eventually(mentioned)
        with closing(sqlite3.connect(stack.var_dir / "crm.sqlite3")) as database, database:
            database.execute(lost, ("lost", '{"type":"lost"}'))

        def came() -> bool:
            redis.publish("crm:events", mention)
            return reader.types() == ["lost"]

        eventually(came, timeout=15)


def test_a_frozen_reader_neither_harms_the_others_nor_is_harmed(make_stack: StackFactory) -> None:
    stack = make_stack(settings={"WEB_CONCURRENCY": "1"})  # both readers in one process
    stack.start("web")
    customer_id = receive(stack, 0)["customer_id"]
    frozen = socket.create_connection(("127.0.0.1", stack.ports["web"]))
    try:
        frozen.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        frozen.sendall(f"GET {STREAM} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        with EventReader(stack.url("web", STREAM)) as reader:
            for number in range(300):
                say(stack, customer_id, "typing" if number % 2 else "viewing", "x" * 64)
            receive(stack, 1)
            reader.wait_for("inbound_message", timeout=10)
            eventually(shows(reader, {"x" * 64: "typing"}))
    finally:
        frozen.close()


def test_presence_is_there_again_when_redis_is(stack: Stack) -> None:
    customer_id = receive(stack, 0)["customer_id"]
    with EventReader(stack.url("web", STREAM)) as reader:
        say(stack, customer_id, "viewing", "before")
        eventually(shows(reader, {"before": "viewing"}))
        stack.redis.freeze()
        assert [each["client_id"] for each in say(stack, customer_id, "viewing", "a")["present"]]
        stack.redis.restart(keep_data=False)

        def is_told() -> bool:
            say(stack, customer_id, "viewing", "a")
            say(stack, customer_id, "away", "b")
            return shows(reader, {"a": "viewing"})()

        eventually(is_told, timeout=30, interval=0.3)
