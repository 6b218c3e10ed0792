"""/customers/{id} and the picture: what agents and the gateway change of a customer."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from crm.extensions import db
from crm.models import Event, Message
from tests.kit.app import Backend, listening
from tests.kit.fixtures import PHONE, Make

NEWEST = select(Event.data).order_by(Event.id.desc()).limit(1)
PHOTO = "https://pps.whatsapp.net/v/t61.jpg"


def test_a_new_customer_is_answered_with_its_address_and_told(
    client: FlaskClient, backend: Backend
) -> None:
    answer = client.post("/customers/", json={"name": "New Customer", "phone": PHONE})
    assert answer.status_code == 201
    customer = answer.get_json()
    assert answer.headers["Location"] == f"/customers/{customer['id']}"
    assert (customer["status"], customer["remark"], customer["extra_fields"]) == ("new", None, {})
    assert client.get(answer.headers["Location"]).get_json() == customer
    assert backend.event_types() == ["new_customer"]
    assert backend.published[0][1] == backend_event(backend)


def backend_event(backend: Backend) -> bytes:
    """What the log says that was published last."""
    with backend.session() as session:
        return session.execute(NEWEST).scalar_one().encode()


def test_a_phone_that_exists_is_a_409(client: FlaskClient, make_customer: Make) -> None:
    customer = make_customer(phone=PHONE)
    answer = client.post("/customers/", json={"name": "Again", "phone": f"+{PHONE}"})
    assert answer.status_code == 409
    assert str(customer["id"]) in answer.get_json()["detail"]


@pytest.mark.parametrize("label", ["won", "my own label", "x" * 40, "新"])
def test_a_status_is_any_label(client: FlaskClient, make_customer: Make, label: str) -> None:
    assert make_customer(status=label)["status"] == label


@pytest.mark.parametrize("body", [{"status": ""}, {"status": " "}, {"status": "x" * 41},
    {"name": ""}, {"name": "\t"}, {"name": "x" * 121}, {"name": None}, {"status": None},
    {"remark": "x" * 20_001}, {"remark": 1}, {"photo_url": "ftp://x.net/a"}])  # fmt: skip
def test_a_change_that_is_not_allowed_is_a_422_and_changes_nothing(
    client: FlaskClient, make_customer: Make, body: dict[str, object]
) -> None:
    customer = make_customer()
    path = f"/customers/{customer['id']}"
    assert client.patch(path, json=body | {"extra_fields": {"a": 1}}).status_code == 422
    assert client.get(path).get_json() == customer


def test_a_change_leaves_what_is_not_named(
    client: FlaskClient, backend: Backend, make_customer: Make
) -> None:
    customer = make_customer(status="open")
    path = f"/customers/{customer['id']}"
    changes = {"remark": "likes tea", "extra_fields": {"size": 42, "tags": ["a", None]}}
    changed = client.patch(path, json=changes | {"phone": "1", "id": 7}).get_json()
    same = {"id", "name", "phone", "status", "created_at"}
    assert {key: changed[key] for key in same} == {key: customer[key] for key in same}
    assert changes.items() <= changed.items()
    assert changed["updated_at"] > customer["updated_at"]
    assert client.patch(path, json={"remark": None}).get_json()["remark"] is None
    assert backend.event_types() == ["new_customer", "customer_updated", "customer_updated"]


def test_a_change_that_changes_nothing_tells_nobody(
    client: FlaskClient, backend: Backend, make_customer: Make
) -> None:
    customer = make_customer()
    path = f"/customers/{customer['id']}"
    for body in ({}, {"name": customer["name"]}, {"extra_fields": {}}, {"unknown": 1}):
        assert client.patch(path, json=body).get_json() == customer
    assert backend.event_types() == ["new_customer"]


def test_a_number_that_becomes_a_truth_value_is_a_change(
    client: FlaskClient, make_customer: Make
) -> None:
    path = f"/customers/{make_customer()['id']}"
    client.patch(path, json={"extra_fields": {"vip": 1}})
    client.patch(path, json={"extra_fields": {"vip": True}})
    assert client.get(path).get_json()["extra_fields"]["vip"] is True


def test_a_picture_is_found_by_phone_and_answered_with_the_customer(
    client: FlaskClient, backend: Backend, make_customer: Make
) -> None:
    customer = make_customer(phone=PHONE)
    answer = client.post("/customers/photo", json={"phone": f"{PHONE}@c.us", "photo_url": PHOTO})
    assert answer.status_code == 200
    assert (answer.get_json()["id"], answer.get_json()["photo_url"]) == (customer["id"], PHOTO)
    assert client.get("/customers/summary").get_json()[0]["photo_url"] == PHOTO
    assert backend.event_types() == ["new_customer", "customer_updated"]
    assert backend.gateway.requests == []


def test_a_picture_of_an_unknown_phone_is_a_404(client: FlaskClient) -> None:
    answer = client.post("/customers/photo", json={"phone": "12345", "photo_url": PHOTO})
    assert answer.status_code == 404


@pytest.mark.parametrize("url", ["", "x", "//x.net/a", "javascript:alert(1)", "data:image/png,x",
    "https://", "https:///a", "https://x.net/a b", "https://[", "https://x.net/\n", 5, None,
    "https://x.net/" + "a" * 2048])  # fmt: skip
def test_a_picture_has_a_web_address(client: FlaskClient, make_customer: Make, url: object) -> None:
    make_customer(phone=PHONE)
    answer = client.post("/customers/photo", json={"phone": PHONE, "photo_url": url})
    assert answer.status_code == 422


def test_http_pictures_are_for_development(
    client: FlaskClient, backend: Backend, make_customer: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = make_customer(phone=PHONE)
    body = {"phone": PHONE, "photo_url": "HTTP://127.0.0.1:3002/a.png"}
    assert client.post("/customers/photo", json=body).status_code == 200
    monkeypatch.setitem(backend.app.config, "ALLOW_HTTP_PHOTOS", False)
    assert client.post("/customers/photo", json=body).status_code == 422
    assert client.patch(f"/customers/{customer['id']}", json=body).status_code == 422


def test_deleting_erases_texts_events_and_queued_sends_and_tells_the_gateway(
    client: FlaskClient, backend: Backend, receive: Make, send: Make, make_customer: Make
) -> None:
    kept = make_customer()
    message = receive(content="my secret")
    send(message["customer_id"], "their secret", client_message_id="key")
    answer = client.delete(f"/customers/{message['customer_id']}")
    assert (answer.status_code, answer.data) == (204, b"")
    for path in ("/customers/{}", "/messages/{}"):
        assert client.get(path.format(message["customer_id"])).status_code == 404
    counts = backend.counts()
    assert (counts["customers"], counts["messages"], counts["erasures"]) == (1, 0, 1)
    assert "secret" not in str(backend.events())
    assert [event["customer_id"] for event in backend.events()] == [
        kept["id"], message["customer_id"]
    ]  # fmt: skip
    assert backend.event_types()[-1] == "customer_deleted"
    assert backend.jobs[-1].name == "customers.erase_at_gateway"
    assert client.get("/metrics").get_json()["messages_received_total"] == 1
    assert client.delete(f"/customers/{message['customer_id']}").status_code == 404


def test_ids_are_never_used_twice(client: FlaskClient, make_customer: Make) -> None:
    first = make_customer()
    client.delete(f"/customers/{first['id']}")
    assert make_customer()["id"] > first["id"]


def test_the_totals_of_a_chat_are_counted_in_one_statement(
    client: FlaskClient, backend: Backend, make_customer: Make, send: Make, receive: Make
) -> None:
    customer, other = make_customer(), make_customer()
    path = f"/customers/{customer['id']}/totals"
    nothing = {"received": 0, "sent": 0, "failed": 0, "first_message_at": None}
    assert client.get(path).get_json() == nothing
    first = receive(phone=customer["phone"], timestamp="2025-09-23T14:05:43.040413")
    receive(phone=customer["phone"])
    receive(phone=other["phone"])
    states = ("mapped", "mapped", "failed", "queued", "unknown", "cancelled")
    for number, dispatch in enumerate(states):
        whatsapp_id = f"W{number}" if dispatch == "mapped" else None
        message_id = send(customer["id"])["id"]
        backend.change(Message, message_id, dispatch=dispatch, whatsapp_id=whatsapp_id)
    counted: list[str] = []
    with backend.app.app_context():
        engine = db.engine
    with listening(engine, "before_cursor_execute", lambda *event: counted.append(event[2])):
        told = client.get(path).get_json()
    assert told == {
        "received": 2,
        "sent": 2,
        "failed": 1,
        "first_message_at": first["timestamp"],
    }
    assert [said.split()[0] for said in counted if said != "BEGIN"] == ["SELECT"]
    assert client.get(f"/customers/{other['id'] + 1}/totals").status_code == 404


@pytest.mark.parametrize("levels", [200, 250, 254, 255, 900, 5000])
def test_fields_of_any_depth_are_kept_or_refused(
    client: FlaskClient, make_customer: Make, levels: int
) -> None:
    """Events and answers hold them some levels deeper than they came."""
    document = '{"extra_fields": ' + '{"a": ' * levels + "1" + "}" * levels + "}"
    path = f"/customers/{make_customer()['id']}"
    answer = client.patch(path, data=document, content_type="application/json")
    assert answer.status_code == (200 if levels <= 200 else 400 if levels > 900 else 422)
    for address in (path, "/customers/", "/customers/export.csv"):
        assert client.get(address).status_code == 200
