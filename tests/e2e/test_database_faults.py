"""The database stops, or has no room left: 503, nothing half done, and it recovers by itself."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import NoReturn

import pytest

from tests.conftest import StackFactory
from tests.e2e.scene import Scene
from tests.kit.disk import full_disk
from tests.kit.postgres import PostgresServer, running_postgres

pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]

SETTINGS = {
    "SEND_LEASE": "5",
    "SEND_RETRY_BASE": "0.5",
    "SIMULATOR_PEOPLE": "false",
    "WEB_CONCURRENCY": "1",
}
RECOVERED = 80.0
"""Seconds, however busy the machine is."""
Answers = dict[str, tuple[int, int | None]]
"""By the key of a send: the status of its answer, and the id where there is one."""


@pytest.fixture
def own_postgres(lacking: Callable[[str], NoReturn]) -> Iterator[PostgresServer]:
    """A server that no other test needs."""
    with running_postgres(lacking) as server:
        yield server


@pytest.fixture
def scene(make_stack: StackFactory) -> Iterator[Scene]:
    with closing(Scene(make_stack(settings=SETTINGS))) as scene:
        yield scene


def send_under_keys(scene: Scene, customer_ids: list[int], keys: list[str]) -> Answers:
    """One message a key, by a few agents at once; each must be answered 201 (200 again) or 503."""

    def send(key: str) -> tuple[int, int | None]:
        number = int(key.rpartition("-")[2])
        body = {"customer_id": customer_ids[number % len(customer_ids)], "content": key}
        answer = scene.web.post("/messages/send", json=body, headers={"Idempotency-Key": key})
        assert answer.status_code in {200, 201, 503}, answer.text
        if answer.status_code == 503:
            assert int(answer.headers["Retry-After"]) >= 1
            return 503, None
        return answer.status_code, int(answer.json()["id"])

    with ThreadPoolExecutor(4) as pool:
        return dict(zip(keys, pool.map(send, keys), strict=True))


def refused(answers: Answers) -> list[str]:
    return [key for key, (status, _) in answers.items() if status == 503]


def assert_each_stored_once_with_its_event(scene: Scene, keys: list[str]) -> None:
    stored = scene.rows("SELECT content FROM messages")
    assert sorted(row["content"] for row in stored) == sorted(keys)
    told = scene.rows("SELECT id FROM events WHERE type = 'outbound_message'")
    assert len(told) == len(keys), "a message without its event, or an event without its message"


@pytest.fixture
def scene_on_postgres(make_stack: StackFactory, own_postgres: PostgresServer) -> Iterator[Scene]:
    stack = make_stack(database_url=own_postgres.create_database(), settings=SETTINGS)
    with closing(Scene(stack)) as scene:
        yield scene


def write_while_it_is_away(
    scene: Scene, customer_ids: list[int], server: PostgresServer
) -> Answers:
    """Agents write all the time, and the server is gone for three seconds of it."""
    answers: Answers = {}
    stop = threading.Event()
    worker = scene.stack.programs["worker"]

    def write() -> None:
        while not stop.is_set():
            first = len(answers)
            keys = [f"key-{number}" for number in range(first, first + 4)]
            answers.update(send_under_keys(scene, customer_ids, keys))
            time.sleep(0.1)

    with ThreadPoolExecutor(1) as agents:
        writing = agents.submit(write)
        try:
            worker.freeze()  # so that jobs wait
            time.sleep(2)
            server.stop()
            worker.thaw()  # and are lost: no row can be read
            assert scene.web.get("/customers/summary").status_code == 503
            assert scene.web.get("/healthz").status_code == 200
            time.sleep(3)
            server.start()
            time.sleep(3)
        finally:
            stop.set()
            writing.result()
    return answers


def test_while_postgresql_is_away_answers_are_503_and_what_was_taken_goes_out_once(
    scene_on_postgres: Scene, own_postgres: PostgresServer
) -> None:
    """Seen to fail without `translate` (500), and where no sweep sends lost jobs again."""
    scene = scene_on_postgres
    scene.stack.start()
    customer_ids = [scene.customer(number) for number in range(5)]
    answers = write_while_it_is_away(scene, customer_ids, own_postgres)
    again = send_under_keys(scene, customer_ids, refused(answers))
    print(f"{len(answers)} sends, {len(again)} refused while PostgreSQL was away")
    assert 0 < len(again) < len(answers)
    assert not refused(again), "it did not recover by itself"
    assert answers["key-0"][0] == 201
    ids = [message_id for _, message_id in (answers | again).values() if message_id]
    took = scene.wait_until_mapped(ids, timeout=RECOVERED)
    print(f"all {len(ids)} out {took:.1f} s after its return")
    assert_each_stored_once_with_its_event(scene, list(answers))
    assert sorted(scene.journal()) == sorted(ids)


def test_a_full_disk_is_a_503_for_writes_and_reads_go_on(scene: Scene) -> None:
    """Seen to fail in a copy without `translate`: it answered 500."""
    scene.stack.start("web")
    customer_ids = [scene.customer()]
    keys = [f"key-{number}" for number in range(20)]
    with full_disk([scene.stack.programs["web"].pid]):
        answers = send_under_keys(scene, customer_ids, keys)
        assert refused(answers) == keys
        assert scene.web.get("/customers/summary").status_code == 200
    assert scene.rows("SELECT id FROM messages") == []
    assert not refused(send_under_keys(scene, customer_ids, keys)), "it did not recover by itself"
    assert_each_stored_once_with_its_event(scene, keys)
