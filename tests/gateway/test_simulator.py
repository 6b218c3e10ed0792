"""The pretend WhatsApp: its receipts, its people, its memory, and each misbehaviour."""

import dataclasses
import json
import time

import pytest

from gateway.app import create_app
from gateway.drivers.events import Outgoing
from gateway.drivers.simulator.journal import Journal
from gateway.drivers.simulator.people import CAST, PATIENCE, Crowd
from tests.gateway.conftest import PHONE
from tests.kit.waiting import eventually

QUICK = {"delivered_after": [0.05, 0.1], "read_after": [0.05, 0.1]}
MAP, ACK, SEEN = "/messages/map", "/messages/ack", "/webhooks/whatsapp/seen"


def journal_lines(settings) -> list[dict]:
    text = (settings.var_dir / "simulator.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def paths(backend) -> list[str]:
    return [call.path for call in backend.taken()]


def test_a_message_is_mapped_then_delivered_then_read(send, misbehave, backend):
    misbehave(**QUICK)
    send(5)
    eventually(lambda: paths(backend) == [MAP, ACK, SEEN])
    mapped, delivered, seen = (call.body for call in backend.taken())
    whatsapp_id = mapped["whatsapp_id"]
    assert delivered == {"message_id": whatsapp_id, "ack": 2}
    assert seen.pop("delay_ms") >= 0
    assert seen == {"backend_message_id": 5, "whatsapp_id": whatsapp_id, "to": PHONE}


def test_the_request_id_follows_a_message_to_its_last_receipt(client, misbehave, backend):
    misbehave(**QUICK)
    order = {"to": PHONE, "message": "hello", "backend_message_id": 5}
    client.post("/send", json=order, headers={"X-Request-ID": "click-1"})
    eventually(lambda: len(backend.taken()) == 3)
    assert {call.headers["X-Request-ID"] for call in backend.taken()} == {"click-1"}


def test_the_journal_holds_one_line_for_each_message(send, settings, client):
    for number in range(1, 21):
        send(number, f"text {number}")
        send(number, f"text {number}")
    eventually(lambda: client.get("/status").json["queue"] == 0)
    lines = journal_lines(settings)
    assert [line["backend_message_id"] for line in lines] == list(range(1, 21))
    assert len({line["whatsapp_id"] for line in lines}) == 20
    assert set(lines[0]) == {
        "backend_message_id",
        "attempt",
        "to",
        "whatsapp_id",
        "text",
        "at",
    }


def test_customers_that_do_not_read_are_not_reported_as_seen(send, misbehave, backend):
    misbehave(reads=False, **QUICK)
    send(1)
    eventually(lambda: ACK in paths(backend))
    time.sleep(0.5)
    misbehave(reads=True)
    send(2)
    eventually(lambda: backend.bodies(SEEN))
    assert [body["backend_message_id"] for body in backend.bodies(SEEN)] == [2]


def test_receipts_can_come_twice(send, misbehave, backend):
    misbehave(doubled_acks=True, **QUICK)
    send(1)
    eventually(lambda: paths(backend) == [MAP, ACK, ACK, SEEN, SEEN])


def test_receipts_can_come_in_the_wrong_order_and_before_the_map(send, misbehave, backend):
    misbehave(reversed_acks=True)
    send(1)
    eventually(lambda: paths(backend) == [ACK, ACK, MAP])
    assert [body["ack"] for body in backend.bodies(ACK)] == [3, 2]


def test_receipts_can_be_late(send, misbehave, backend):
    misbehave(late_acks=3600, **QUICK)
    send(1)
    eventually(lambda: backend.bodies(MAP))
    misbehave(late_acks=0)
    send(2)
    eventually(lambda: backend.bodies(SEEN))
    assert len(backend.bodies(ACK)) == 1


def test_sends_can_fail_for_a_while(send, misbehave, client, backend):
    misbehave(failing_sends=100)
    send(1)
    send(2)
    eventually(lambda: client.get("/status").json["queue"] == 2)
    misbehave(failing_sends=0)
    eventually(lambda: [body["backend_id"] for body in backend.bodies(MAP)] == [1, 2])


def test_sends_can_be_slow(send, misbehave, client, backend):
    misbehave(send_delay=3600)
    send(1)
    eventually(lambda: client.get("/messages/1").json["state"] == "sending")
    assert backend.calls == []


def test_orders_can_be_refused_before_they_are_accepted(send, misbehave, client):
    misbehave(unavailable=100)
    assert send(1) == 503
    misbehave(unavailable=0, errors=100)
    assert send(1) == 500
    assert client.get("/messages/1").status_code == 404
    misbehave(errors=0)
    assert send(1) == 202


def test_an_order_can_be_accepted_and_yet_answered_with_an_error(send, misbehave, backend):
    misbehave(broken_answers=100)
    assert send(1) == 500
    eventually(lambda: backend.bodies(MAP))


def test_an_answer_can_come_late(send, misbehave, backend):
    misbehave(stalls=100, stall_seconds=0.5)
    assert send(1) == 202
    assert backend.bodies(MAP), "it was accepted long before the answer"


@pytest.mark.parametrize("connection", ["starting", "degraded", "need_qr", "banned"])
def test_what_happens_while_disconnected_arrives_afterwards(
    send, misbehave, client, backend, connection
):
    misbehave(delivered_after=[0.3, 0.3], read_after=[0.1, 0.1])
    send(1)
    eventually(lambda: backend.bodies(MAP))
    misbehave(connection=connection)
    client.post("/simulator/inbound", json={"phone": PHONE, "text": "anyone there?"})
    assert send(2) == 503
    misbehave(connection="ready")
    eventually(lambda: backend.bodies(SEEN))
    eventually(lambda: backend.bodies("/messages/inbox"))
    assert send(2) == 202


def test_accepted_sends_go_out_when_the_connection_returns(send, misbehave, client, backend):
    misbehave(send_delay=0.3)
    for number in (1, 2, 3):
        send(number)
    misbehave(connection="degraded", send_delay=0)
    eventually(lambda: client.get("/status").json["queue"] > 0)
    misbehave(connection="ready")
    eventually(lambda: [body["backend_id"] for body in backend.bodies(MAP)] == [1, 2, 3])


def test_a_restarted_simulator_knows_what_it_received_and_owes_its_receipts(
    settings, send, service, misbehave, backend
):
    misbehave(delivered_after=[3600, 3600])
    send(1)
    mapped = eventually(lambda: backend.bodies(MAP))[0]
    service.stop()
    backend.calls.clear()

    restarted = create_app(settings).extensions["gateway"]
    restarted.start()
    assert restarted.wait_until_running(10)
    again = Outgoing(backend_message_id=1, attempt=1, chat=PHONE, text="hello")
    assert restarted.driver.send(again) == mapped["whatsapp_id"]
    eventually(lambda: paths(backend) == [ACK, SEEN])
    restarted.stop()
    assert len(journal_lines(settings)) == 1


def test_a_line_torn_by_a_kill_is_cut_off(tmp_path):
    journal = Journal(tmp_path)
    journal.load()
    first = Outgoing(backend_message_id=1, attempt=1, chat=PHONE, text="one")
    second = Outgoing(backend_message_id=2, attempt=1, chat=PHONE, text="two")
    journal.receive(first)
    with (tmp_path / "simulator.jsonl").open("ab") as file:
        file.write(b'{"backend_message_id": 2, "att')
    reloaded = Journal(tmp_path)
    reloaded.load()
    assert [entry.text for entry in reloaded.entries()] == ["one"]
    assert reloaded.receive(first)[1] is False
    assert reloaded.receive(second)[1] is True
    assert [entry.text for entry in reloaded.entries()] == ["one", "two"]


class Immediately:
    """A timeline that keeps plans until they are asked for."""

    def __init__(self) -> None:
        self.plans: list = []

    def after(self, seconds, action) -> None:
        assert seconds > 0
        self.plans.append(action)

    def run(self, rounds: int) -> None:
        for _ in range(rounds):
            plans, self.plans = self.plans, []
            for action in plans:
                action()


@pytest.fixture
def crowd():
    """A crowd, the time it lives in, and what it said."""
    timeline, said = Immediately(), []

    def say(person, text) -> bool:
        said.append((person.phone, text))
        return True

    return Crowd(timeline, say=say, change_picture=lambda person: None), timeline, said


def test_people_stop_writing_when_nobody_answers(crowd):
    people, timeline, said = crowd
    people.set_active(True)
    timeline.run(rounds=20)
    assert len(said) == PATIENCE * len(CAST)


def test_people_answer_what_they_have_read(crowd):
    people, timeline, said = crowd
    people.set_active(True)
    timeline.run(rounds=20)
    said.clear()
    amara = CAST[0]
    people.hear(amara.phone)
    people.hear("60000000000")
    timeline.run(rounds=1)
    assert [phone for phone, _ in said] == [amara.phone]
    assert said[0][1] in amara.answers


def test_people_sent_to_sleep_say_nothing(crowd):
    people, timeline, said = crowd
    people.set_active(True)
    people.set_active(False)
    timeline.run(rounds=20)
    people.hear(CAST[0].phone)
    timeline.run(rounds=20)
    assert said == []


def test_a_newcomer_hears_from_the_first_customer_soon(settings, backend):
    lively = dataclasses.replace(settings, simulator_people=True)
    service = create_app(lively).extensions["gateway"]
    service.start()
    eventually(lambda: backend.bodies("/customers/photo"), timeout=30)
    service.stop()
    inbound = backend.bodies("/messages/inbox")[0]
    photo = backend.bodies("/customers/photo")[0]
    assert inbound["name"] in {person.name for person in CAST}
    assert photo["phone"] == inbound["phone"]
    assert photo["photo_url"].startswith("http://127.0.0.1:3002/simulator/pictures/")
