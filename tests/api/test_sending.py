"""POST /messages/send, idempotency, retry, cancel, and lists by state."""

import json

import pytest
from flask.testing import FlaskClient

from crm.models import Message
from tests.kit.app import Backend
from tests.kit.fixtures import Make


def test_a_sent_message_is_stored_told_and_given_to_a_worker(
    client: FlaskClient, backend: Backend, make_customer: Make
) -> None:
    customer = make_customer()
    body = {"customer_id": customer["id"], "content": "Hello"}
    answer = client.post("/messages/send", json=body, headers={"X-Request-ID": "follow-me"})
    message = answer.get_json()
    assert answer.status_code == 201
    assert (message["ack"], message["whatsapp_id"]) == (1, None)
    assert (message["status"], message["error"], message["attempts"]) == ("queued", None, 0)
    told = backend.events()[-1]
    assert (told["type"], told["message"]) == ("outbound_message", message)
    assert told["customer"]["last_message"] == "Hello"
    assert [(job.name, job.args) for job in backend.jobs] == [
        ("messages.deliver", (message["id"],))
    ]
    with backend.session() as session:
        assert session.get_one(Message, message["id"]).request_id == "follow-me"


def test_a_send_to_an_unknown_customer_is_a_404(client: FlaskClient, backend: Backend) -> None:
    before = backend.counts()
    answer = client.post("/messages/send", json={"customer_id": 99, "content": "Hello"})
    assert answer.status_code == 404
    assert (backend.counts(), backend.jobs) == (before, [])


@pytest.mark.parametrize("ways", ["header", "body", "header then body", "both"])
def test_a_repeated_key_gives_the_same_message_and_sends_nothing(
    client: FlaskClient, backend: Backend, make_customer: Make, ways: str
) -> None:
    content = {"customer_id": make_customer()["id"], "content": "Hello"}
    with_header = {"json": content, "headers": {"Idempotency-Key": "key 1"}}
    with_body = {"json": content | {"client_message_id": "key 1"}}
    first, second = {
        "header": (with_header, with_header),
        "body": (with_body, with_body),
        "header then body": (with_header, with_body),
        "both": (with_header | with_body, with_header | with_body),
    }[ways]
    one, two = client.post("/messages/send", **first), client.post("/messages/send", **second)
    assert (one.status_code, two.status_code) == (201, 200)
    assert one.get_json() == two.get_json()
    assert one.get_json()["client_message_id"] == "key 1"
    assert len(backend.jobs) == backend.counts()["messages"] == 1
    assert backend.event_types() == ["new_customer", "outbound_message"]


def test_a_repeat_shows_what_became_of_the_message(
    client: FlaskClient, backend: Backend, make_customer: Make, send: Make
) -> None:
    customer = make_customer()
    message = send(customer["id"], client_message_id="k")
    backend.change(Message, message["id"], dispatch="failed", error="no", attempts=4)
    body = {"customer_id": customer["id"], "content": "Hello", "client_message_id": "k"}
    answer = client.post("/messages/send", json=body)
    assert answer.status_code == 200
    assert (answer.get_json()["status"], answer.get_json()["attempts"]) == ("failed", 4)


@pytest.mark.parametrize("change", [{"content": "Other"}, {"customer_id": 2**40}])
def test_a_key_with_another_body_is_a_409(
    client: FlaskClient, make_customer: Make, send: Make, change: dict[str, object]
) -> None:
    customer = make_customer()
    send(customer["id"], client_message_id="k")
    body = {"customer_id": customer["id"], "content": "Hello", "client_message_id": "k"} | change
    assert client.post("/messages/send", json=body).status_code == 409


def test_two_different_keys_are_a_422(client: FlaskClient, make_customer: Make) -> None:
    body = {"customer_id": make_customer()["id"], "content": "x", "client_message_id": "a"}
    answer = client.post("/messages/send", json=body, headers={"Idempotency-Key": "b"})
    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.get_json()["errors"]


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there", "\x7f"], ids=ascii)
def test_a_key_has_1_to_255_printable_characters(
    client: FlaskClient, make_customer: Make, send: Make, key: str
) -> None:
    body = {"customer_id": make_customer()["id"], "content": "x"}
    assert client.post("/messages/send", json=body | {"client_message_id": key}).status_code == 422
    answer = client.post("/messages/send", json=body, headers={"Idempotency-Key": key})
    assert answer.status_code == 422
    assert send(body["customer_id"], client_message_id="x" * 255)["status"] == "queued"
    assert send(body["customer_id"], client_message_id=None)["client_message_id"] is None


def test_a_failed_message_is_sent_again_with_a_raised_attempt(
    client: FlaskClient, backend: Backend, send_as: Make
) -> None:
    message = send_as(dispatch="failed", error="It failed.", attempts=4, failures=4)
    answer = client.post(f"/messages/{message['id']}/retry")
    assert answer.status_code == 200
    retried = answer.get_json()
    assert (retried["status"], retried["error"], retried["attempts"]) == ("queued", None, 4)
    assert [job.args for job in backend.jobs] == [(message["id"],)] * 2
    assert backend.event_types()[-1] == "message_status"
    with backend.session() as session:
        assert session.get_one(Message, message["id"]).gateway_attempt == 2


@pytest.mark.parametrize("dispatch", ["queued", "sending", "accepted", "cancelled", "mapped"])
def test_only_a_failed_or_unknown_message_is_sent_again(
    client: FlaskClient, send_as: Make, dispatch: str
) -> None:
    message = send_as(dispatch=dispatch)
    assert client.post(f"/messages/{message['id']}/retry").status_code == 409


def test_an_unknown_message_is_sent_again_only_when_confirmed(
    client: FlaskClient, backend: Backend, send_as: Make
) -> None:
    message = send_as(dispatch="unknown", maybe_written=True)
    path = f"/messages/{message['id']}/retry"
    refused = client.post(path, json={})
    assert refused.status_code == 409
    assert "confirm" in refused.get_json()["detail"]
    assert client.post(path, json={"confirm": "true"}).status_code == 422
    assert client.post(path, json={"confirm": True}).get_json()["status"] == "queued"
    assert [request.url.path for request in backend.gateway.requests] == [
        f"/messages/{message['id']}"
    ] * 2


def test_an_unknown_message_that_the_gateway_knows_as_sent_is_not_sent_again(
    client: FlaskClient, backend: Backend, send_as: Make
) -> None:
    message = send_as(dispatch="unknown", maybe_written=True)
    known = {"state": "sent", "whatsapp_id": "W1"}
    backend.gateway.answers[f"/messages/{message['id']}"] = (200, known)
    answer = client.post(f"/messages/{message['id']}/retry", json={"confirm": True})
    assert (answer.status_code, answer.get_json()["status"]) == (200, "sent")
    assert answer.get_json()["whatsapp_id"] == "W1"
    assert len(backend.jobs) == 1


def test_all_failed_messages_are_sent_again_at_once(
    client: FlaskClient, backend: Backend, send_as: Make
) -> None:
    for dispatch in ("failed", "failed", "unknown", "queued"):
        send_as(dispatch=dispatch)
    assert client.post("/messages/retry_failed").get_json() == {"retried": 2}
    assert client.get("/messages?status=failed").get_json() == []
    assert len(client.get("/messages?status=queued").get_json()) == 3
    assert client.post("/messages/retry_failed", json={}).get_json() == {"retried": 0}


def test_a_waiting_message_is_cancelled_once_and_for_all(
    client: FlaskClient, backend: Backend, send_as: Make
) -> None:
    message = send_as()
    path = f"/messages/{message['id']}/cancel"
    assert client.post(path).get_json()["status"] == "cancelled"
    told = backend.event_types()
    assert client.post(path).status_code == 200
    assert backend.event_types() == told
    assert told[-1] == "message_status"


@pytest.mark.parametrize("columns", [{"dispatch": "sending"}, {"dispatch": "accepted"},
    {"dispatch": "failed"}, {"dispatch": "mapped"}, {"maybe_written": True}])  # fmt: skip
def test_a_message_on_its_way_is_not_cancelled(
    client: FlaskClient, send_as: Make, columns: dict[str, object]
) -> None:
    message = send_as(**columns)
    answer = client.post(f"/messages/{message['id']}/cancel")
    assert answer.status_code == 409
    assert "None" not in answer.get_json()["detail"]


@pytest.mark.parametrize("door", ["retry", "cancel"])
def test_an_inbound_message_can_be_neither_retried_nor_cancelled(
    client: FlaskClient, receive: Make, door: str
) -> None:
    assert client.post(f"/messages/{receive()['id']}/{door}").status_code == 404


@pytest.mark.parametrize(
    ("columns", "status"),
    [
        *(({"dispatch": state}, state)
          for state in ("queued", "sending", "accepted", "unknown", "failed", "cancelled")),
        *(({"dispatch": "mapped", "ack": ack, "whatsapp_id": "W"}, status)
          for ack, status in enumerate(("sent", "delivered", "read", "played"), start=1)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_messages_are_listed_by_the_state_they_are_shown_in(
    client: FlaskClient, send_as: Make, receive: Make, columns: dict[str, object], status: str
) -> None:
    wanted, other = send_as(**columns), "failed" if status != "failed" else "sent"
    receive()
    found = client.get(f"/messages?status={status}").get_json()
    assert [(message["id"], message["status"]) for message in found] == [(wanted["id"], status)]
    assert client.get(f"/messages?status={other}").get_json() == []


@pytest.mark.parametrize("query", ["", "?status=", "?status=mapped", "?status=nonsense"])
def test_a_list_by_state_wants_a_state(client: FlaskClient, query: str) -> None:
    assert client.get(f"/messages{query}").status_code == 422


def test_an_identical_json_in_another_spelling_is_the_same_body(
    client: FlaskClient, make_customer: Make, send: Make
) -> None:
    customer = make_customer()
    message = send(customer["id"], "é 👍", client_message_id="k")
    body = {
        "content": "é 👍",
        "ignored": 1,
        "customer_id": customer["id"],
        "client_message_id": "k",
    }
    answer = client.post(
        "/messages/send", data=json.dumps(body, ensure_ascii=True), content_type="application/json"
    )
    assert (answer.status_code, answer.get_json()) == (200, message)


def test_a_send_that_missed_a_message_is_a_409_that_shows_it(
    client: FlaskClient, backend: Backend, make_customer: Make, send: Make
) -> None:
    customer_id = make_customer()["id"]
    newer = send(customer_id, "A colleague was faster")
    before = backend.counts()
    body = {"customer_id": customer_id, "content": "Hello", "last_seen_id": 0}
    headers = {"Idempotency-Key": "k"}
    answer = client.post("/messages/send", json=body, headers=headers)
    assert answer.status_code == 409
    told = answer.get_json()
    assert told.pop("detail").startswith("The chat has newer messages")
    assert told == {"newer": [newer], "newer_count": 1}
    assert backend.counts() == before
    seen = body | {"last_seen_id": newer["id"]}
    assert client.post("/messages/send", json=seen, headers=headers).status_code == 201
    assert client.post("/messages/send", json=body, headers=headers).status_code == 200


@pytest.mark.parametrize("seen", [-1, 2**63, "1", 1.5, True, [1]])
def test_an_id_that_nobody_can_have_seen_is_a_422(
    client: FlaskClient, make_customer: Make, seen: object
) -> None:
    body = {"customer_id": make_customer()["id"], "content": "Hello", "last_seen_id": seen}
    answer = client.post("/messages/send", json=body)
    assert (answer.status_code, answer.get_json()["errors"].keys()) == (422, {"last_seen_id"})
