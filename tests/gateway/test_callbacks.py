"""Callbacks reach the backend: all of them, in order per chat, however it behaves."""

import dataclasses
import time

import pytest

from gateway.deliverer import Deliverer
from gateway.store.callbacks import Callback, add_callback, count_callbacks, find_pending
from gateway.store.tables import CallbackState
from tests.gateway.conftest import PHONE
from tests.kit.waiting import eventually

OTHER = "4915228817386"
INBOX = "/messages/inbox"


@pytest.fixture
def write(client):
    """A customer writes; returns when the gateway has stored it."""

    def say(text: str, phone: str = PHONE, **more: object) -> str:
        answer = client.post("/simulator/inbound", json={"phone": phone, "text": text, **more})
        assert answer.status_code == 201
        return answer.json["whatsapp_id"]

    return say


def contents(backend, phone: str = PHONE) -> list[str]:
    return [body["content"] for body in backend.bodies(INBOX) if body.get("phone") == phone]


def test_an_inbound_message_arrives_with_name_id_and_time(write, backend):
    whatsapp_id = write("Hello", name="MK Gan")
    body = eventually(lambda: backend.bodies(INBOX))[0]
    assert body["timestamp"][:4].isdigit()
    del body["timestamp"]
    assert body == {
        "phone": PHONE,
        "content": "Hello",
        "name": "MK Gan",
        "whatsapp_id": whatsapp_id,
    }


def test_a_lid_is_never_passed_off_as_a_phone(write, backend):
    write("Hello", phone="123456789012345@lid")
    body = eventually(lambda: backend.bodies(INBOX))[0]
    assert body["lid"] == "123456789012345"
    assert "phone" not in body


def test_text_that_no_database_takes_is_made_storable(write, backend):
    write("a\x00b\ud800c" + "x" * 70_000)
    content = eventually(lambda: backend.bodies(INBOX))[0]["content"]
    assert content.startswith("a\ufffdb\ufffdcx")
    assert len(content) == 65_536


@pytest.mark.parametrize("status", [500, 502, 401, 403, 408, 425, 302])
def test_what_the_backend_may_take_later_is_kept_and_brought_again_in_order(
    write, backend, client, status
):
    backend.answer = lambda path, body: status
    for number in range(10):
        write(str(number))
    eventually(lambda: len(backend.calls) >= 2)
    assert client.get("/status").json["callbacks"] == {
        "pending": 10,
        "dead": 0,
        "dead_letters": [],
    }
    backend.answer = lambda path, body: 200
    eventually(lambda: len(contents(backend)) == 10)
    assert contents(backend) == [str(number) for number in range(10)]


def test_callbacks_wait_out_a_backend_that_is_down(write, backend, client):
    backend.stop()
    for number in range(30):
        write(str(number), phone=(PHONE, OTHER)[number % 2])
    time.sleep(1)
    assert client.get("/status").json["callbacks"]["pending"] == 30
    backend.start()
    eventually(lambda: len(backend.bodies(INBOX)) == 30)
    for phone, first in ((PHONE, 0), (OTHER, 1)):
        assert contents(backend, phone) == [str(number) for number in range(first, 30, 2)]
    eventually(lambda: client.get("/status").json["callbacks"]["pending"] == 0)


@pytest.mark.parametrize("status", [400, 404, 409, 413, 422])
def test_what_the_backend_refuses_for_good_is_put_aside_and_the_next_goes_on(
    write, backend, client, status
):
    backend.answer = lambda path, body: status if body["content"] == "bad" else 201
    for text in ("first", "bad", "last"):
        write(text)
    eventually(lambda: contents(backend) == ["first", "last"])
    assert len([call for call in backend.calls if call.body["content"] == "bad"]) == 1
    shown = eventually(lambda: client.get("/status").json["callbacks"]["dead_letters"])
    assert [letter["status"] for letter in shown] == [status]


def test_accepted_for_later_counts_as_taken(write, backend, client):
    backend.answer = lambda path, body: 202
    write("parked")
    eventually(lambda: backend.calls)
    eventually(lambda: client.get("/status").json["callbacks"]["pending"] == 0)


def test_retry_after_is_respected(write, backend):
    seen: list[float] = []

    def answer(path, body):
        seen.append(time.monotonic())
        return (503, {"Retry-After": "2"}) if len(seen) == 1 else 200

    backend.answer = answer
    write("later")
    eventually(lambda: contents(backend))
    assert seen[1] - seen[0] >= 1.9


def test_one_chat_that_cannot_be_delivered_does_not_hold_the_others(write, backend):
    backend.answer = lambda path, body: 500 if body["phone"] == PHONE else 200
    write("stuck")
    for number in range(5):
        write(str(number), phone=OTHER)
    eventually(lambda: len(contents(backend, OTHER)) == 5)
    assert contents(backend) == []
    backend.answer = lambda path, body: 200
    eventually(lambda: contents(backend) == ["stuck"])


def test_the_order_holds_while_every_second_answer_fails(write, backend):
    count = iter(range(10_000))
    backend.answer = lambda path, body: 500 if next(count) % 2 else 200
    for number in range(12):
        write(str(number))
    eventually(lambda: len(contents(backend)) >= 12, timeout=60)
    assert contents(backend) == [str(number) for number in range(12)]


def test_the_first_internal_token_is_carried(settings, store, backend):
    deliverer = Deliverer(store, dataclasses.replace(settings, internal_tokens=("new", "old")))
    with store.transaction() as connection:
        callback = Callback(chat=PHONE, path=INBOX, body={"content": "x"}, request_id="req-9")
        add_callback(connection, callback, at=0)
    deliverer.start()
    call = eventually(lambda: backend.calls)[0]
    deliverer.stop(5)
    assert call.headers["Authorization"] == "Bearer new"
    assert call.headers["X-Request-ID"] == "req-9"


@pytest.fixture
def bring(settings, store):
    """Brings callbacks of one chat, given as path and body, and waits until none is pending."""
    deliverer = Deliverer(store, settings)

    def run(*told: tuple[str, dict]) -> int:
        with store.transaction() as connection:
            for path, body in told:
                callback = Callback(chat=PHONE, path=path, body=body, request_id="r")
                add_callback(connection, callback, at=0)
        deliverer.start()
        return eventually(look)[CallbackState.DEAD]

    def look() -> dict[CallbackState, int] | None:
        with store.reading() as connection:
            counts = count_callbacks(connection)
        return None if counts[CallbackState.PENDING] else counts

    yield run
    deliverer.stop(5)


def test_nothing_that_came_before_a_failure_is_repeated_after_it(bring, backend, store):
    """The failure has an agent order the message again, and an old map would call that sent."""
    kept: list[list[str]] = []

    def answer(path, body):
        if path == "/messages/failed":
            with store.reading() as connection:
                kept.append([each.path for each in find_pending(connection, PHONE, limit=9)])
        return 200

    backend.answer = answer
    ids = {"backend_id": 1, "whatsapp_id": "wamid.1"}
    bring(("/messages/map", ids), ("/messages/ack", {}), ("/messages/failed", ids))
    assert kept == [["/messages/failed"]], "what a kill -9 now would repeat"
    assert [call.path for call in backend.calls][:2] == ["/messages/map", "/messages/ack"]


@pytest.mark.parametrize(
    ("path", "body", "status", "dead"),
    [
        ("/messages/media", {"whatsapp_id": "A"}, 404, 0),
        ("/messages/media", {"whatsapp_id": "A"}, 405, 0),
        ("/messages/media", {"whatsapp_id": "A"}, 422, 1),
        ("/customers/photo", {"media_id": "A"}, 404, 0),
        ("/customers/photo", {"media_id": "A"}, 422, 0),
        ("/customers/photo", {"media_id": "A"}, 400, 1),
        ("/customers/photo", {"photo_url": "https://a.b"}, 404, 1),
    ],
)
def test_what_a_backend_of_the_seed_does_not_know_is_no_dead_letter(
    bring, backend, path, body, status, dead
):
    backend.answer = lambda path, body: status
    assert bring((path, body)) == dead
    assert len(backend.calls) == 1


def test_thousands_of_waiting_callbacks_are_brought_quickly_and_in_order(settings, store, backend):
    with store.transaction() as connection:
        for number in range(3000):
            body = {"phone": str(10_000 + number % 500), "content": str(number)}
            callback = Callback(chat=body["phone"], path=INBOX, body=body, request_id="r")
            add_callback(connection, callback, at=0)
    deliverer = Deliverer(store, settings)
    deliverer.start()
    eventually(lambda: len(backend.taken()) == 3000, timeout=170)
    deliverer.stop(5)
    for phone in ("10000", "10499"):
        numbers = [int(content) for content in contents(backend, phone)]
        assert numbers == sorted(numbers)
