"""What the gateway tells: inbound messages, acks, maps, failures and reads."""

import pytest
from flask.testing import FlaskClient

from crm.models import Message
from tests.kit.app import Backend
from tests.kit.fixtures import PHONE, Make

WID = "3EB0E8D9F6C7F7B929B411"


@pytest.fixture
def sent(send_as: Make) -> dict[str, object]:
    """A message that the gateway has accepted."""
    return send_as(dispatch="accepted")


def test_an_inbound_message_makes_its_customer_and_counts_as_unread(
    client: FlaskClient, backend: Backend
) -> None:
    body = {"phone": PHONE, "content": "Hello", "name": "Customer Name"}
    answer = client.post("/messages/inbox", json=body)
    message = answer.get_json()
    assert answer.status_code == 201
    assert (message["direction"], message["ack"]) == ("inbound", 2)
    (row,) = client.get("/customers/summary").get_json()
    assert (row["name"], row["unread_count"], row["status"]) == ("Customer Name", 1, "new")
    assert backend.event_types() == ["new_customer", "inbound_message"]
    assert backend.events()[-1]["message"] == message
    assert backend.events()[-1]["customer"] == row
    assert backend.jobs == []


@pytest.mark.parametrize("name", ["whatsapp_id", "message_id"])
def test_a_repeated_inbound_message_is_the_first_one_again(
    client: FlaskClient, backend: Backend, receive: Make, name: str
) -> None:
    first = receive(**{name: "A"})
    again = client.post("/messages/inbox", json={"phone": PHONE, "content": "x", name: "A"})
    assert (again.status_code, again.get_json()) == (200, first)
    assert len(backend.events()) == 2
    assert client.get("/customers/summary").get_json()[0]["unread_count"] == 1
    assert client.get("/metrics").get_json()["messages_received_total"] == 1


def test_whatsapp_ids_are_each_customers_own(receive: Make) -> None:
    assert receive(whatsapp_id="A")["id"] != receive(whatsapp_id="A", phone="60111111111")["id"]
    assert receive()["id"] != receive()["id"]


def test_a_name_told_later_does_not_overwrite_what_is_known(
    client: FlaskClient, make_customer: Make, receive: Make
) -> None:
    make_customer(phone=PHONE, name="As the agent wrote it")
    receive(name="Push name")
    assert client.get("/customers/").get_json()[0]["name"] == "As the agent wrote it"


def test_reading_a_chat_clears_unread_up_to_the_message_shown(
    client: FlaskClient, backend: Backend, receive: Make
) -> None:
    first, second = receive(), receive()
    path = f"/messages/{first['customer_id']}/mark_read"
    assert client.post(path, json={"up_to": first["id"]}).get_json()["unread_count"] == 1
    assert client.post(path).get_json()["unread_count"] == 0
    assert client.post(path).get_json()["unread_count"] == 0
    read = [event for event in backend.events() if event["type"] == "messages_read"]
    assert [event["up_to"] for event in read] == [first["id"], second["id"]]
    assert read[-1]["customer"]["unread_count"] == 0
    chat = client.get(f"/messages/{first['customer_id']}").get_json()
    assert [message["ack"] for message in chat] == [3, 3]


def test_reading_up_to_a_message_of_another_chat_is_a_404(
    client: FlaskClient, receive: Make, make_customer: Make
) -> None:
    message, other = receive(), make_customer()
    path = f"/messages/{other['id']}/mark_read"
    assert client.post(path, json={"up_to": message["id"]}).status_code == 404
    assert client.post(path, json={"up_to": "1"}).status_code == 422
    assert client.post("/messages/99/mark_read").status_code == 404


def test_an_ack_only_ever_rises(client: FlaskClient, backend: Backend, sent: Make) -> None:
    client.post("/messages/map", json={"backend_id": sent["id"], "whatsapp_id": WID})
    shown = []
    for ack in (2, 1, 3, 2, 4, 3):
        answer = client.post("/messages/ack", json={"message_id": WID, "ack": ack})
        assert answer.status_code == 200
        shown.append((answer.get_json()["ack"], answer.get_json()["status"]))
    assert shown == [(2, "delivered")] * 2 + [(3, "read")] * 2 + [(4, "played")] * 2
    types = backend.event_types()
    assert types[2:] == ["message_status", "message_status", "message_status", "message_seen",
                         "message_status"]  # fmt: skip


def test_an_early_ack_is_parked_and_applied_with_the_map(
    client: FlaskClient, backend: Backend, sent: Make
) -> None:
    for ack in (3, 2):
        answer = client.post("/messages/ack", json={"message_id": WID, "ack": ack})
        assert (answer.status_code, answer.get_json()) == (202, {"status": "parked"})
    mapped = client.post("/messages/map", json={"backend_id": sent["id"], "whatsapp_id": WID})
    assert (mapped.get_json()["ack"], mapped.get_json()["status"]) == (3, "read")
    assert backend.counts()["parked_acks"] == 0
    assert backend.event_types().count("message_seen") == 1


@pytest.mark.parametrize("ack", [0, 5, -1, "3", 3.0, True, None, 2**70])
def test_an_ack_is_1_to_4(client: FlaskClient, ack: object) -> None:
    body = f'{{"message_id": "A", "ack": {"null" if ack is None else repr(ack).lower()}}}'
    answer = client.post("/messages/ack", data=body, content_type="application/json")
    assert answer.status_code in ({400, 422} if isinstance(ack, str) else {422})


def test_an_ack_of_an_inbound_message_changes_nothing(client: FlaskClient, receive: Make) -> None:
    message = receive(whatsapp_id="A")
    answer = client.post("/messages/ack", json={"message_id": "A", "ack": 4})
    assert (answer.status_code, answer.get_json()) == (200, message)


def test_a_map_is_told_once_and_its_repeat_changes_nothing(
    client: FlaskClient, backend: Backend, sent: Make
) -> None:
    body = {"backend_id": sent["id"], "whatsapp_id": WID}
    first, again = (client.post("/messages/map", json=body) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.get_json() == again.get_json()
    assert (first.get_json()["whatsapp_id"], first.get_json()["status"]) == (WID, "sent")
    assert backend.event_types()[2:] == ["message_status"]
    assert client.get("/metrics").get_json()["messages_sent_total"] == 1


@pytest.mark.parametrize("path", ["/messages/map", "/webhooks/whatsapp/seen"])
def test_pairs_that_contradict_are_a_409(
    client: FlaskClient, backend: Backend, send_as: Make, path: str
) -> None:
    first, second = send_as(dispatch="accepted"), send_as(dispatch="accepted")

    def pair(message: dict[str, object], whatsapp_id: str) -> int:
        ids = {"backend_id": message["id"], "backend_message_id": message["id"]}
        return client.post(path, json=ids | {"whatsapp_id": whatsapp_id}).status_code

    assert pair(first, "A") == 200
    before = backend.counts()
    assert (pair(first, "B"), pair(second, "A")) == (409, 409)
    assert backend.counts() == before
    assert pair(second, "B") == 200


def test_an_inbound_message_is_not_mapped_but_may_share_the_id(
    client: FlaskClient, receive: Make, sent: Make
) -> None:
    inbound = receive(whatsapp_id=WID)
    body = {"backend_id": inbound["id"], "whatsapp_id": "B"}
    assert client.post("/messages/map", json=body).status_code == 404
    body = {"backend_id": sent["id"], "whatsapp_id": WID}
    assert client.post("/messages/map", json=body).status_code == 200


@pytest.mark.parametrize("dispatch", ["failed", "unknown", "cancelled", "queued"])
def test_a_map_overrules_every_other_state(
    client: FlaskClient, send_as: Make, dispatch: str
) -> None:
    message = send_as(dispatch=dispatch, error="It failed.")
    body = {"backend_id": message["id"], "whatsapp_id": WID}
    mapped = client.post("/messages/map", json=body).get_json()
    assert (mapped["status"], mapped["error"]) == ("sent", None)


def test_seen_maps_where_needed_and_is_told_once(
    client: FlaskClient, backend: Backend, sent: Make
) -> None:
    body = {"backend_message_id": sent["id"], "whatsapp_id": WID, "delay_ms": 5000, "to": PHONE}
    for _ in range(2):
        answer = client.post("/webhooks/whatsapp/seen", json=body)
        assert (answer.status_code, answer.get_json()["ack"]) == (200, 3)
    client.post("/messages/ack", json={"message_id": WID, "ack": 4})
    assert backend.event_types().count("message_seen") == 1
    seen = next(event for event in backend.events() if event["type"] == "message_seen")
    assert (seen["customer_id"], seen["message_id"]) == (sent["customer_id"], sent["id"])


@pytest.mark.parametrize("extra", [{}, {"delay_ms": -5}, {"delay_ms": 10**18, "to": "x" * 500},
    {"delay_ms": None, "to": None}, {"to": "nobody"}])  # fmt: skip
def test_seen_keeps_delay_and_receiver_and_judges_neither(
    client: FlaskClient, backend: Backend, sent: Make, extra: dict[str, object]
) -> None:
    body = {"backend_message_id": sent["id"], "whatsapp_id": WID, **extra}
    assert client.post("/webhooks/whatsapp/seen", json=body).status_code == 200
    with backend.session() as session:
        kept = session.get_one(Message, sent["id"])
        assert (kept.seen_to or "") == str(extra.get("to") or "")[:64]


def test_a_failure_that_the_gateway_reports_is_shown_with_its_reason(
    client: FlaskClient, backend: Backend, sent: Make
) -> None:
    body = {"backend_id": sent["id"], "code": "131026", "reason": "Not on WhatsApp.",
            "retryable": False}  # fmt: skip
    answer = client.post("/messages/failed", json=body)
    assert (answer.status_code, answer.get_json()["status"]) == (200, "failed")
    assert answer.get_json()["error"] == "Not on WhatsApp."
    told = len(backend.events())
    assert client.post("/messages/failed", json=body).status_code == 200
    assert len(backend.events()) == told


def test_a_failure_after_the_map_changes_nothing(client: FlaskClient, sent: Make) -> None:
    client.post("/messages/map", json={"backend_id": sent["id"], "whatsapp_id": WID})
    answer = client.post("/messages/failed", json={"backend_id": sent["id"], "reason": "late"})
    assert (answer.status_code, answer.get_json()["status"]) == (200, "sent")


def test_a_failure_of_an_attempt_that_was_retried_since_is_ignored(
    client: FlaskClient, send_as: Make
) -> None:
    message = send_as(dispatch="accepted", gateway_attempt=2)
    body = {"backend_id": message["id"], "reason": "old", "attempt": 1}
    assert client.post("/messages/failed", json=body).get_json()["status"] == "accepted"
    assert client.post("/messages/failed", json=body | {"attempt": 2}).get_json()["error"] == "old"
