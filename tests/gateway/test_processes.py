"""The real process: killed at any moment it resumes, and nothing is lost or doubled."""

import os
import time
from functools import partial

import httpx
import pytest

from tests.gateway.conftest import PHONE
from tests.gateway.process import GatewayProcess
from tests.kit.waiting import eventually

pytestmark = pytest.mark.processes
CHATS = [str(60_100_000_000 + number) for number in range(5)]


def chat_of(message_id: int) -> str:
    return CHATS[message_id % len(CHATS)]


def assert_received_once_and_in_order(process: GatewayProcess, count: int) -> None:
    received = process.journal()
    assert sorted(line["backend_message_id"] for line in received) == list(range(1, count + 1))
    for chat in CHATS:
        ids = [line["backend_message_id"] for line in received if line["to"] == chat]
        assert ids == sorted(ids)


def mapped_ids(backend) -> set[int]:
    return {body["backend_id"] for body in backend.bodies("/messages/map")}


def test_accepted_sends_survive_a_kill(process, backend):
    """Seen to fail without `Sender.recover`: what was half sent at the kill stayed so."""
    process.start()
    process.post("/simulator/misbehave", {"send_delay": 0.2})
    for message_id in range(1, 31):
        assert process.send(message_id, chat_of(message_id), "hello").status_code == 202
    process.kill()
    assert len(process.journal()) < 30
    process.start()
    eventually(lambda: len(mapped_ids(backend)) == 30, timeout=60)
    assert_received_once_and_in_order(process, 30)


def test_kills_at_any_moment_lose_and_double_nothing(process, backend):
    """Seen to fail without `Sender.recover`: what was half sent at a kill stayed so."""
    process.start()
    next_id = 1
    for round_ in range(4):
        for _ in range(25):
            # Unanswered or refused: the backend orders it again, with the same id.
            order = partial(process.send, next_id, chat_of(next_id), "hello")
            eventually(lambda order=order: order().is_success)
            next_id += 1
        time.sleep(0.01 * round_)
        process.kill_worker() if round_ % 2 else process.kill()
        if round_ % 2 == 0:
            process.start()
    eventually(lambda: len(mapped_ids(backend)) == 100, timeout=60)
    assert_received_once_and_in_order(process, 100)


def test_undelivered_callbacks_survive_a_kill_and_keep_their_order(process, backend):
    backend.stop()
    process.start()
    for number in range(40):
        body = {"phone": PHONE, "text": str(number)}
        assert process.post("/simulator/inbound", body).status_code == 201
    process.kill()
    process.start()
    assert process.status()["callbacks"]["pending"] == 40
    backend.start()
    eventually(lambda: len(backend.bodies("/messages/inbox")) >= 40, timeout=60)
    contents = [body["content"] for body in backend.bodies("/messages/inbox")]
    assert contents == [str(number) for number in range(40)]


def test_receipts_owed_at_a_kill_are_still_given(process, backend):
    process.start()
    process.post("/simulator/misbehave", {"delivered_after": [60, 60]})
    process.send(1, PHONE, "hello")
    eventually(lambda: mapped_ids(backend))
    process.kill()
    process.start()
    seen = eventually(lambda: backend.bodies("/webhooks/whatsapp/seen"), timeout=60)[0]
    assert seen["backend_message_id"] == 1


def test_a_lost_answer_is_a_closed_connection_and_the_repeat_sends_nothing(process, backend):
    """Seen to fail in a copy that knows no repeats, by store or look-up: 4 sends."""
    process.start()
    process.post("/simulator/misbehave", {"lost_answers": 100})
    for _ in range(3):
        with pytest.raises(httpx.RemoteProtocolError):
            process.send(1, PHONE, "hello")
    process.post("/simulator/misbehave", {"lost_answers": 0})
    assert process.send(1, PHONE, "hello").status_code == 202
    eventually(lambda: process.status()["queue"] == 0)
    assert process.output().count("event=send_done") == len(process.journal()) == 1


def test_the_orphan_of_a_killed_master_and_its_successor_never_work_at_once(process, backend):
    process.start()
    process.post("/simulator/misbehave", {"send_delay": 0.1})
    for message_id in range(1, 31):
        process.send(message_id, chat_of(message_id), "hello")
    process.kill_master()
    eventually(lambda: process.launch().poll() is None and process.is_ready(), timeout=60)
    eventually(lambda: len(mapped_ids(backend)) == 30, timeout=60)
    assert_received_once_and_in_order(process, 30)


def test_sigterm_ends_it_quickly_with_work_in_flight(process):
    process.start()
    process.post("/simulator/misbehave", {"send_delay": 3600, "stalls": 100, "stall_seconds": 60})
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(
            f"{process.url}/send",
            json={"to": PHONE, "message": "hello", "backend_message_id": 1},
            timeout=1,
        )
    started = time.monotonic()
    assert process.terminate() == 0
    assert time.monotonic() - started < 15
    process.start()
    eventually(lambda: len(process.journal()) == 1)


def test_a_large_body_hears_413_over_a_real_connection(process):
    process.start()
    answer = httpx.post(f"{process.url}/send", content=b" " * 2_000_000, timeout=20)
    assert answer.status_code == 413
    chunks = (b" " * 100_000 for _ in range(20))
    answer = httpx.post(f"{process.url}/send", content=chunks, timeout=20)
    assert answer.status_code == 413
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"GATEWAY_DRIVER": "pigeon"}, "GATEWAY_DRIVER"),
        ({"APP_ENV": "production"}, "INTERNAL_TOKEN is missing in production"),
        ({"PORT": "many"}, "PORT"),
    ],
)
def test_a_bad_setting_ends_it_with_one_sentence(process, environment, sentence):
    started = process.launch(**environment)
    assert started.wait(30) != 0
    assert sentence in process.output()
    assert "Traceback" not in process.output()


def test_no_line_of_the_log_holds_a_text_or_a_phone(process, backend):
    process.start()
    process.send(1, PHONE, "secret words")
    process.post("/simulator/inbound", {"phone": PHONE, "text": "secret words"})
    process.post("/erase", {"to": PHONE})
    process.send(2, "12", "secret words")
    eventually(lambda: mapped_ids(backend))
    assert os.path.getsize(process.folder / "gateway.out")
    assert PHONE not in process.output()
    assert "secret" not in process.output()
