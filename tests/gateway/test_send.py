"""`POST /send`: accepted once, durably, or refused with a readable sentence."""

import pytest

from gateway.drivers.events import TemplateUse
from gateway.store.sends import find_attempts
from tests.gateway.conftest import PHONE
from tests.kit.waiting import eventually

ORDER = {"to": PHONE, "message": "hello", "backend_message_id": 1}


@pytest.fixture
def received(client):
    """Looks up what the pretend WhatsApp received."""
    return lambda: client.get("/simulator/log").json


def test_the_seed_s_order_is_accepted_with_the_seed_s_answer(client):
    answer = client.post("/send", json=ORDER)
    assert answer.status_code == 202
    assert answer.json == {"status": "accepted", "message": "Message queued for sending"}


def test_an_accepted_message_reaches_whatsapp_and_is_mapped(client, backend, received):
    client.post("/send", json=ORDER, headers={"X-Request-ID": "req-1"})
    mapped = eventually(lambda: backend.bodies("/messages/map"))
    entry = received()[0]
    assert mapped == [{"backend_id": 1, "whatsapp_id": entry["whatsapp_id"]}]
    assert (entry["to"], entry["text"]) == (PHONE, "hello")
    assert backend.calls[0].headers["X-Request-ID"] == "req-1"


@pytest.mark.parametrize(
    "to",
    ["+60 12-345 6789", "60123456789@c.us", "+60123456789@c.us"],
)
def test_a_phone_s_decoration_is_stripped(client, received, to):
    client.post("/send", json=ORDER | {"to": to})
    assert eventually(received)[0]["to"] == PHONE


def test_a_lid_is_an_address(client, received):
    client.post("/send", json=ORDER | {"to": "123456789012345@lid"})
    assert eventually(received)[0]["to"] == "123456789012345@lid"


def test_the_longest_text_arrives_as_it_is(client, received):
    text = "😀" * 4095 + "\n"
    client.post("/send", json=ORDER | {"message": text})
    assert eventually(received)[0]["text"] == text


def test_a_repeated_order_answers_the_same_and_sends_nothing(send, backend, received):
    assert [send(7) for _ in range(5)] == [202] * 5
    assert send(8) == 202
    eventually(lambda: len(backend.bodies("/messages/map")) == 2)
    assert send(7) == 202
    assert [entry["backend_message_id"] for entry in received()] == [7, 8]


def test_a_raised_attempt_of_a_sent_message_is_only_mapped_again(send, backend, received):
    send(7)
    first = eventually(lambda: backend.bodies("/messages/map"))[0]
    assert send(7, attempt=2) == 202
    eventually(lambda: backend.bodies("/messages/map") == [first, first])
    assert len(received()) == 1


def test_a_raised_attempt_of_a_failed_message_is_sent(send, misbehave, backend, received):
    misbehave(refused=[PHONE])
    send(7)
    eventually(lambda: backend.bodies("/messages/failed"))
    misbehave(refused=[])
    assert send(7, attempt=2) == 202
    eventually(lambda: backend.bodies("/messages/map"))
    assert [entry["attempt"] for entry in received()] == [2]


def test_a_raised_attempt_takes_the_place_of_one_still_queued(idle_app):
    service = idle_app.extensions["gateway"]
    client = idle_app.test_client()
    service.driver.connect(service.recorder)
    for attempt in (1, 2, 1):
        assert client.post("/send", json=ORDER | {"attempt": attempt}).status_code == 202
    with service.store.reading() as connection:
        assert [send.attempt for send in find_attempts(connection, 1)] == [2]


def test_no_order_is_accepted_while_whatsapp_is_not_connected(send, misbehave, client):
    assert send(1) == 202
    misbehave(connection="degraded")
    answer = client.post("/send", json=ORDER | {"backend_message_id": 2})
    assert answer.status_code == 503
    assert "degraded" in answer.json["detail"]
    assert int(answer.headers["Retry-After"]) > 0
    assert send(1) == 202, "a repeat of what was accepted stays accepted"
    assert client.get("/messages/2").status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"to": None},
        {"to": 60123456789},
        {"to": ""},
        {"to": "1234"},
        {"to": "1234567890123456"},
        {"to": "٦٠١٢٣٤٥٦٧٨٩"},
        {"to": "60123456789@g.us"},
        {"to": "60123456789\n"},
        {"to": ["60123456789"]},
        {"message": None},
        {"message": ""},
        {"message": " \n\t "},
        {"message": "x" * 4097},
        {"message": 5},
        {"message": "a\x00b"},
        {"message": "lone \ud800 surrogate"},
        {"backend_message_id": None},
        {"backend_message_id": True},
        {"backend_message_id": "1"},
        {"backend_message_id": 1.0},
        {"backend_message_id": 1.5},
        {"backend_message_id": 0},
        {"backend_message_id": -1},
        {"backend_message_id": 2**63},
        {"attempt": None},
        {"attempt": False},
        {"attempt": 0},
        {"attempt": 2**63},
        {"priority": "urgent"},
        {"template": 5},
        {"template": {"name": "a"}},
        {"template": {"language": "de"}},
        {"template": {"name": "A b", "language": "de"}},
        {"template": {"name": "a", "language": "de/.."}},
        {"template": {"name": "a", "language": "de", "params": "x"}},
        {"template": {"name": "a", "language": "de", "params": [""]}},
        {"template": {"name": "a", "language": "de", "params": ["\x00"]}},
        {"template": {"name": "a", "language": "de", "params": ["x"] * 101}},
    ],
)
def test_bad_data_is_refused_with_a_sentence(client, change):
    answer = client.post("/send", json=ORDER | change)
    assert answer.status_code == 422
    assert next(iter(change)) in answer.json["detail"]


def test_a_template_needs_no_text_and_is_let_go_once_it_is_sent(client, idle_app, received):
    use = {"name": "order_sent", "language": "en_US", "params": ["Ann"]}
    order = {"to": PHONE, "backend_message_id": 1, "template": use}
    assert client.post("/send", json=order).status_code == 202
    assert client.post("/send", json=ORDER | {"template": None}).status_code == 202, "a repeat"
    eventually(received)
    store = idle_app.extensions["gateway"].store

    def newest():
        with store.reading() as connection:
            return find_attempts(connection, 1)[0]

    eventually(lambda: newest().template is None and newest().state == "sent")


def test_a_stored_template_is_what_was_ordered(idle_app):
    service = idle_app.extensions["gateway"]
    service.driver.connect(service.recorder)
    use = {"name": "order_sent", "language": "en_US", "params": ["Ann", "17"]}
    idle_app.test_client().post("/send", json=ORDER | {"message": "", "template": use})
    with service.store.reading() as connection:
        (send,) = find_attempts(connection, 1)
    assert send.template == TemplateUse(name="order_sent", language="en_US", params=("Ann", "17"))


@pytest.mark.parametrize("field", sorted(ORDER))
def test_every_field_of_the_seed_is_required(client, field):
    body = {name: value for name, value in ORDER.items() if name != field}
    assert client.post("/send", json=body).status_code == 422


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"5"])
def test_json_that_is_no_object_is_bad_data(client, body):
    assert client.post("/send", data=body).status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"hello",
        b"\xff\xfe\xff",
        b'{"backend_message_id": NaN}',
        b'{"backend_message_id": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 40_000,
    ],
    ids=["empty", "cut", "text", "bytes", "nan", "huge-int", "deep-list", "deep-object"],
)
def test_broken_json_is_a_bad_request(client, body):
    answer = client.post("/send", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json == {"detail": "The body is not valid JSON."}


def test_unknown_fields_are_ignored(client):
    assert client.post("/send", json=ORDER | {"user_id": [1], "media": None}).status_code == 202


def test_a_body_over_the_limit_is_too_large(client):
    answer = client.post("/send", data=b" " * (256 * 1024 + 1))
    assert answer.status_code == 413
    assert answer.json["detail"]
