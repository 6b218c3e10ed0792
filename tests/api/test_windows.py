"""Templates, the 24-hour window, priorities, and messages that WhatsApp took and gave up on."""

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from crm import clock
from crm.services import outcomes
from tests.kit.app import Backend
from tests.kit.fixtures import PHONE, Make

TEMPLATE = {"name": "order_left", "language": "en_US", "params": ["Ana", "17"]}
WID = "wamid.1"


def in_hours(hours: float) -> str:
    return clock.to_wire(clock.now() + timedelta(hours=hours))


def hear(client: FlaskClient, closes_at: str) -> int:
    body = {"phone": PHONE, "content": "Hi", "window_closes_at": closes_at}
    customer_id: int = client.post("/messages/inbox", json=body).get_json()["customer_id"]
    return customer_id


def send_to(client: FlaskClient, customer_id: int, **body: Any) -> Any:
    return client.post("/messages/send", json={"customer_id": customer_id, **body})


def test_a_closed_window_takes_templates_only(client: FlaskClient, backend: Backend) -> None:
    customer_id = hear(client, in_hours(-1))
    refused = send_to(client, customer_id, content="Hello")
    assert refused.status_code == 409
    assert "template" in refused.get_json()["detail"]
    sent = send_to(client, customer_id, template=TEMPLATE)
    assert sent.status_code == 201
    assert sent.get_json()["template"] == TEMPLATE
    assert sent.get_json()["content"] == "order_left: Ana, 17"


def test_a_message_from_the_customer_opens_the_window_and_an_old_one_does_not_close_it(
    client: FlaskClient,
) -> None:
    customer_id = hear(client, in_hours(20))
    assert hear(client, in_hours(-5)) == customer_id
    (row,) = client.get("/customers/summary").get_json()
    assert row["window_closes_at"] > in_hours(19)
    assert send_to(client, customer_id, content="Hello").status_code == 201


def test_a_line_that_knows_no_windows_ends_what_another_has_told(client: FlaskClient) -> None:
    customer_id = hear(client, in_hours(-1))
    client.post("/messages/inbox", json={"phone": PHONE, "content": "Again"})
    assert send_to(client, customer_id, content="Hello").status_code == 201


def test_a_template_may_carry_the_text_that_the_chat_shows(
    client: FlaskClient, make_customer: Make
) -> None:
    customer = make_customer()
    body = {"content": "Ana, order 17 has left.", "template": TEMPLATE}
    assert send_to(client, customer["id"], **body).get_json()["content"] == body["content"]


def test_the_same_key_with_another_template_is_a_conflict(
    client: FlaskClient, make_customer: Make
) -> None:
    customer = make_customer()
    body = {"content": "x", "client_message_id": "k"}
    assert send_to(client, customer["id"], **body, template=TEMPLATE).status_code == 201
    assert send_to(client, customer["id"], **body, template=TEMPLATE).status_code == 200
    assert send_to(client, customer["id"], **body).status_code == 409


@pytest.mark.parametrize("template", [{}, {"name": "x"}, {"name": "x", "language": 1}, "x"])
def test_a_template_that_is_none_is_refused(
    client: FlaskClient, make_customer: Make, template: Any
) -> None:
    customer = make_customer()
    assert send_to(client, customer["id"], content="x", template=template).status_code == 422


def test_bulk_messages_get_jobs_that_come_after_replies(
    client: FlaskClient, backend: Backend, make_customer: Make
) -> None:
    customers = [make_customer(phone=f"6012345678{n}")["id"] for n in range(2)]
    send_to(client, customers[0], content="News", priority="bulk")
    send_to(client, customers[1], content="Hello")
    assert [job.priority for job in backend.jobs] == [3, 0]
    assert send_to(client, customers[1], content="x", priority="urgent").status_code == 422


def failed(message: dict[str, Any], **changes: Any) -> dict[str, Any]:
    body = {"backend_id": message["id"], "code": "131026", "reason": "Undeliverable."}
    return body | {"whatsapp_id": WID} | changes


def test_what_whatsapp_took_and_gave_up_on_is_failed(
    client: FlaskClient, backend: Backend, send_as: Make
) -> None:
    message = send_as(dispatch="accepted")
    client.post("/messages/map", json={"backend_id": message["id"], "whatsapp_id": WID})
    answer = client.post("/messages/failed", json=failed(message)).get_json()
    assert (answer["status"], answer["error"]) == ("failed", "Undeliverable.")
    again = client.post(f"/messages/{message['id']}/retry", json={}).get_json()
    assert (again["status"], again["whatsapp_id"]) == ("queued", None)
    told = {"state": "failed", "attempt": 1, "whatsapp_id": WID, "code": "131026"}
    with backend.app.app_context():
        assert outcomes.learn_outcome(message["id"], told).status == "queued"
    late = client.post("/messages/failed", json=failed(message, attempt=1)).get_json()
    assert late["status"] == "queued"


@pytest.mark.parametrize("whatsapp_id", [None, "wamid.2"])
def test_what_is_mapped_otherwise_does_not_fail(
    client: FlaskClient, send_as: Make, whatsapp_id: str | None
) -> None:
    message = send_as(dispatch="accepted")
    client.post("/messages/map", json={"backend_id": message["id"], "whatsapp_id": WID})
    body = failed(message, whatsapp_id=whatsapp_id)
    assert client.post("/messages/failed", json=body).get_json()["status"] == "sent"


def test_what_was_delivered_does_not_fail_and_proof_overrules_failure(
    client: FlaskClient, send_as: Make
) -> None:
    message = send_as(dispatch="accepted")
    client.post("/messages/map", json={"backend_id": message["id"], "whatsapp_id": WID})
    client.post("/messages/failed", json=failed(message))
    proved = client.post("/messages/ack", json={"message_id": WID, "ack": 2}).get_json()
    assert (proved["status"], proved["error"]) == ("delivered", None)
    assert client.post("/messages/failed", json=failed(message)).get_json()["status"] == "delivered"
