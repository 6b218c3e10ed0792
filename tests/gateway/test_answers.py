"""`/status`, `/qr`, `/messages/{id}`, `/erase`, and the form of errors."""

import re
from xml.etree import ElementTree

import pytest

from gateway.service import GatewayService
from gateway.store import database
from tests.gateway.conftest import PHONE
from tests.kit.waiting import eventually

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}")


def test_status_has_the_seed_s_fields_and_the_honest_detail(client):
    status = client.get("/status").json
    assert TIME.fullmatch(status.pop("since"))
    assert status == {
        "ready": True,
        "need_qr": False,
        "session_active": True,
        "state": "ready",
        "advice": None,
        "driver": "simulator",
        "last_event_at": None,
        "last_ack_at": None,
        "last_sent_at": None,
        "last_event_age": None,
        "last_ack_age": None,
        "last_sent_age": None,
        "queue": 0,
        "updates": {"pending": 0, "unreadable": 0},
        "callbacks": {"pending": 0, "dead": 0, "dead_letters": []},
        "media": {"pending": 0, "stored": 0, "failed": 0, "expired": 0},
        "pace": None,
    }


def test_a_gateway_that_has_not_connected_yet_says_so(idle_app):
    status = idle_app.test_client().get("/status").json
    assert (status["state"], status["ready"]) == ("starting", False)


@pytest.mark.parametrize(
    ("state", "need_qr", "session_active"),
    [
        ("starting", False, False),
        ("degraded", False, True),
        ("need_qr", True, False),
        ("logged_out", False, False),
        ("banned", False, False),
    ],
)
def test_each_state_is_told_as_it_is(client, misbehave, state, need_qr, session_active):
    misbehave(connection=state)
    status = client.get("/status").json
    shown = (status["state"], status["ready"], status["need_qr"], status["session_active"])
    assert shown == (state, False, need_qr, session_active)


def test_status_tells_when_things_last_happened_in_the_contract_s_form(client, send, misbehave):
    misbehave(delivered_after=[0, 0])
    send(1)
    status = eventually(lambda: (s := client.get("/status").json)["last_ack_at"] and s)
    for name in ("last_event_at", "last_ack_at", "last_sent_at"):
        assert TIME.fullmatch(status[name])
    for name in ("last_event_age", "last_ack_age", "last_sent_age"):
        assert 0 <= status[name] < 30


def test_status_shows_dead_letters_without_text_or_phone(client, backend):
    backend.answer = lambda path, body: 409
    client.post("/simulator/inbound", json={"phone": PHONE, "text": "secret words"})
    eventually(lambda: client.get("/status").json["callbacks"]["dead"] == 1)
    answer = client.get("/status")
    letter = answer.json["callbacks"]["dead_letters"][0]
    assert (letter["kind"], letter["status"], letter["reason"]) == (
        "/messages/inbox",
        409,
        "409 Conflict",
    )
    assert "secret" not in answer.text
    assert PHONE not in answer.text


def test_no_code_is_needed_while_connected(client):
    assert client.get("/qr").json == {"qr": None, "ready": True}


def test_a_code_is_shown_when_one_is_needed(client, misbehave):
    misbehave(connection="need_qr")
    answer = client.get("/qr").json
    assert answer["qr"].startswith("2@")
    assert answer["ready"] is False


def test_a_code_is_drawn_for_a_page_that_wants_a_picture(client, misbehave):
    picture = {"Accept": "image/avif,image/svg+xml,image/*;q=0.9,*/*;q=0.8"}
    assert client.get("/qr", headers=picture).status_code == 404
    misbehave(connection="need_qr")
    answer = client.get("/qr", headers=picture)
    assert answer.mimetype == "image/svg+xml"
    assert ElementTree.fromstring(answer.text).tag == "{http://www.w3.org/2000/svg}svg"
    assert answer.headers["Cache-Control"] == "no-store"
    assert client.get("/qr", headers={"Accept": "*/*"}).mimetype == "application/json"


def test_a_sent_message_tells_whatsapp_s_id(client, send, backend):
    send(5)
    mapped = eventually(lambda: backend.bodies("/messages/map"))[0]
    assert client.get("/messages/5").json == {
        "backend_message_id": 5,
        "attempt": 1,
        "state": "sent",
        "whatsapp_id": mapped["whatsapp_id"],
        "code": None,
        "reason": None,
    }


def test_a_failed_message_tells_why(client, send, misbehave, backend):
    misbehave(refused=[PHONE])
    send(5)
    failed = eventually(lambda: backend.bodies("/messages/failed"))[0]
    answer = client.get("/messages/5").json
    assert (answer["state"], answer["code"]) == ("failed", "refused")
    assert (failed["backend_id"], failed["code"], failed["retryable"]) == (5, "refused", False)
    assert answer["reason"] == failed["reason"]


@pytest.mark.parametrize("message_id", [5, 0, 2**63, "9" * 300, "x", "-1"])
def test_an_unknown_message_is_not_found(client, message_id):
    answer = client.get(f"/messages/{message_id}")
    assert answer.status_code == 404
    assert set(answer.json) == {"detail"}


def test_erasing_takes_texts_and_callbacks_and_cancels_what_is_queued(idle_app, store):
    service: GatewayService = idle_app.extensions["gateway"]
    client = idle_app.test_client()
    service.driver.connect(service.recorder)
    for message_id in (1, 2):
        order = {"to": PHONE, "message": "private", "backend_message_id": message_id}
        client.post("/send", json=order)
    client.post("/simulator/inbound", json={"phone": PHONE, "text": "private"})
    client.post("/send", json={"to": "99999", "message": "other", "backend_message_id": 3})

    answer = client.post("/erase", json={"to": f"+{PHONE}@c.us"})

    assert (answer.status_code, answer.json) == (200, {"erased": 3})
    assert client.get("/messages/1").json["code"] == "erased"
    status = client.get("/status").json
    assert (status["queue"], status["callbacks"]["pending"]) == (1, 0)
    with store.reading() as connection:
        rows = connection.exec_driver_sql("SELECT chat, text FROM sends ORDER BY id").all()
    assert [tuple(row) for row in rows] == [("", ""), ("", ""), ("99999", "other")]
    order = {"to": PHONE, "message": "private", "backend_message_id": 1}
    assert client.post("/send", json=order).status_code == 202
    assert client.get("/status").json["queue"] == 1


def test_erasing_needs_an_address(client):
    assert client.post("/erase", json={"to": "nobody"}).status_code == 422
    assert client.post("/erase", json={"to": "99999999"}).json == {"erased": 0}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("GET", "/send", 405), ("PUT", "/status", 405)],
)
def test_every_error_is_a_readable_sentence(client, method, path, status):
    answer = client.open(path, method=method)
    assert answer.status_code == status
    assert isinstance(answer.json["detail"], str)
    assert answer.headers["X-Request-ID"]


def test_a_fault_of_ours_shows_only_its_request_id(idle_app):
    def break_down() -> None:
        raise RuntimeError("secret detail")

    idle_app.add_url_rule("/broken", view_func=break_down)
    answer = idle_app.test_client().get("/broken", headers={"X-Request-ID": "abc-1"})
    assert answer.status_code == 500
    assert "abc-1" in answer.json["detail"]
    assert "secret" not in answer.text


@pytest.mark.parametrize("given", ["with space", "x" * 129, ""])
def test_an_odd_request_id_is_replaced(client, given):
    answer = client.get("/healthz", headers={"X-Request-ID": given})
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-ID"])


def test_a_store_that_is_locked_answers_503(client, service, monkeypatch):
    monkeypatch.setattr(database, "BUSY_TIMEOUT", 0.05)
    order = {"to": PHONE, "message": "hello", "backend_message_id": 1}
    with service.store.transaction():
        answer = client.post("/send", json=order)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert client.post("/send", json=order).status_code == 202
