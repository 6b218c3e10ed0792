"""Ten thousand callbacks, tripled, shuffled, from four processes: the same end as told once."""

import json
import random
import sys
import time
from collections import Counter as Tally
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, select

from config.addresses import normalize_database_url
from config.settings import PROJECT_ROOT
from crm.models import Counter, Customer, Event, Message, ParkedAck
from tests.conftest import StackFactory
from tests.kit.app import running_backend
from tests.kit.postgres import PostgresServer
from tests.kit.programs import Program
from tests.kit.redis_server import RedisServer
from tests.kit.stack import PATH

pytestmark = [pytest.mark.processes, pytest.mark.timeout(580)]

CLIENTS, TIMES, SEED = 4, 3, 20250923
PHONES = [f"6012{number:07}" for number in range(8)]
STRANGERS = [f"6019{number:07}" for number in range(8)]
Call = tuple[str, dict[str, Any]]


def callbacks(messages: int, inbound: int) -> list[Call]:
    """Each thing that the gateway tells, once, in the order in which it happened."""
    calls: list[Call] = []
    for message_id in range(1, messages + 1):
        whatsapp_id = f"3EB0{message_id:018}"
        calls.append(("/messages/map", {"backend_id": message_id, "whatsapp_id": whatsapp_id}))
        # A third is delivered only, a third is read, a third is played.
        for ack in range(1, 3 + message_id % 3):
            calls.append(("/messages/ack", {"message_id": whatsapp_id, "ack": ack}))
        if message_id % 3:
            seen = {"backend_message_id": message_id, "whatsapp_id": whatsapp_id, "delay_ms": 5}
            calls.append(("/webhooks/whatsapp/seen", seen))
    for number in range(inbound):
        phone = [*PHONES, *STRANGERS][number % 16]
        body = {"phone": phone, "content": f"in {number}", "whatsapp_id": f"in-{number}"}
        calls.append(("/messages/inbox", body))
    return calls


def read_state(database_url: str) -> dict[str, object]:
    """All that the callbacks decide, without times and the ids of what came in any order."""
    engine = create_engine(normalize_database_url(database_url))
    with engine.connect() as connection:

        def rows(*columns: Any) -> list[tuple[Any, ...]]:
            return sorted(tuple(row) for row in connection.execute(select(*columns)))

        is_outbound = Message.direction == "outbound"
        outbound = connection.execute(
            select(Message.id, Message.whatsapp_id, Message.ack, Message.dispatch)
            .where(is_outbound).order_by(Message.id)
        )  # fmt: skip
        inbound = connection.execute(
            select(Message.whatsapp_id, Message.content, Message.ack, Customer.phone)
            .join(Customer, Customer.id == Message.customer_id).where(~is_outbound)
        )  # fmt: skip
        types = Tally(connection.scalars(select(Event.type)).all())
        state: dict[str, object] = {
            "outbound": [tuple(row) for row in outbound],
            "inbound": sorted(tuple(row) for row in inbound),
            "customers": rows(Customer.phone, Customer.unread_count),
            "totals": {
                name: value
                for name, value in rows(Counter.name, Counter.value)
                if name.startswith("messages_")
            },
            "parked": rows(ParkedAck.whatsapp_id, ParkedAck.ack),
            # How many message_status there are depends on the order; the others may not.
            "events": {name: count for name, count in types.items() if name != "message_status"},
        }
    engine.dispose()
    return state


def told_once(database_url: str, redis_url: str, calls: Sequence[Call], sends: int) -> None:
    """The same calls in their order, one after the other, by one client."""
    with running_backend(database_url, redis_url) as backend:
        client = backend.client()
        write_messages(client, sends)
        for path, body in calls:
            assert client.post(path, json=body).status_code in {200, 201}


def write_messages(client: Any, count: int) -> None:
    """Customers and messages with ids from 1, by anything that has `post`."""
    for number, phone in enumerate(PHONES, start=1):
        made = client.post("/customers/", json={"name": f"Customer {number}", "phone": phone})
        assert made.status_code == 201
    for number in range(count):
        body = {"customer_id": number % len(PHONES) + 1, "content": f"out {number}"}
        assert client.post("/messages/send", json=body).status_code == 201


def storm(url: str, calls: list[Call], directory: Path) -> Tally[str]:
    """Every call three times, shuffled, from four processes; returns the statuses."""
    calls = calls * TIMES
    random.Random(SEED).shuffle(calls)
    clients = []
    for number in range(CLIENTS):
        file = directory / f"calls{number}.jsonl"
        file.write_text("\n".join(json.dumps(call) for call in calls[number::CLIENTS]))
        client = Program(
            [sys.executable, "-m", "tests.services.storm_client", url, file],
            environment={"PATH": PATH},
            log=directory / f"client{number}.log",
            directory=PROJECT_ROOT,
        )
        client.start()
        clients.append(client)
    statuses: Tally[str] = Tally()
    for client in clients:
        try:
            assert client.wait(480) == 0, client.output()
        finally:
            client.end()
        statuses.update(json.loads(client.output()))
    return statuses


@pytest.fixture(params=["sqlite", "postgresql"])
def two_urls(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """Two empty databases of one kind: one for the storm, one for the calm."""
    if request.param == "sqlite":
        return [f"sqlite:///{tmp_path / name}" for name in ("storm.sqlite3", "calm.sqlite3")]
    server: PostgresServer = request.getfixturevalue("postgres")
    return [server.create_database(), server.create_database()]


def test_a_storm_of_callbacks_ends_as_if_each_was_told_once(
    make_stack: StackFactory, redis_server: RedisServer, two_urls: list[str], tmp_path: Path
) -> None:
    """Seen to fail in a copy that parks no acks: those that came before their map were missing.

    And (SQLite, 955 answers of 503, else none) in one whose writers do not begin IMMEDIATE.
    """
    stormy, calm = two_urls
    sends, inbound = (400, 1467) if stormy.startswith("sqlite") else (80, 294)
    calls = callbacks(sends, inbound)
    stack = make_stack(database_url=stormy)
    stack.start("web")
    with httpx.Client(base_url=stack.url("web"), timeout=60, trust_env=False) as client:
        write_messages(client, sends)
    started = time.monotonic()
    statuses = storm(stack.url("web"), calls, tmp_path)
    took = time.monotonic() - started
    print(f"{statuses.total()} calls in {took:.0f} s: {dict(statuses)}")
    assert set(statuses) <= {"200", "201", "202", "503", "lost"}
    answered = sum(count for status, count in statuses.items() if status.startswith("2"))
    assert answered == len(calls) * TIMES
    assert statuses["201"] == inbound
    assert statuses["503"] <= answered / 50, "writers take turns, few are sent away"

    told_once(calm, redis_server.url, calls, sends)
    assert read_state(stormy) == read_state(calm)
