"""The seed's own text, walked: each of its examples is sent as it stands and compared.

Every key of an answer in the seed is there, with the seed's JSON type; more keys are allowed.
"""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from crm import clock
from crm.models import Customer, Direction, Dispatch, Message
from tests.contracts.seed import blocks, endpoints, example, find_difference
from tests.kit.app import Backend
from tests.kit.fixtures import Make

GATEWAY = {"GET /status", "GET /qr", "POST /send"}
"""Answered by the gateway, see test_seed_of_the_gateway.py."""
STREAM = "GET /messages/events/stream"
WHATSAPP_ID = "3EB0E8D9F6C7F7B929B411"
BACKEND = [endpoint for endpoint in endpoints() if endpoint not in {*GATEWAY, STREAM}]


@pytest.fixture
def world(backend: Backend) -> Backend:
    """Customer 1 and its message 123, which the seed's examples speak of."""
    moment = clock.now()
    customer = Customer.new(name="MK Gan", phone="60127878560", phone_key="60127878560")
    values = {c.name: getattr(customer, c.name) for c in Customer.__table__.columns}
    shown = {"photo_url": "https://pps.whatsapp.net/x", "last_message": "Hello",
             "last_timestamp": moment, "active_at": moment}  # fmt: skip
    backend.insert(Customer, **values | shown | {"id": 1})
    backend.insert(
        Message, id=122, customer_id=1, direction=Direction.INBOUND, content="Hello",
        timestamp=moment, ack=3, whatsapp_id="3EB0552BC87317D062B76B",
    )  # fmt: skip
    backend.insert(
        Message, id=123, customer_id=1, direction=Direction.OUTBOUND, content="Hi there!",
        timestamp=moment, ack=1, dispatch=Dispatch.ACCEPTED, queued_at=moment, due_at=moment,
    )  # fmt: skip
    return backend


def prepare_photo(client: FlaskClient) -> None:
    client.post("/customers/", json=example("POST /customers/", "request"))


def prepare_map(client: FlaskClient) -> None:
    body = {"backend_id": 123, "whatsapp_id": WHATSAPP_ID}
    assert client.post("/messages/map", json=body).status_code == 200


PREPARE: dict[str, Callable[[FlaskClient], None]] = {
    "POST /customers/photo": prepare_photo,
    "POST /messages/ack": prepare_map,
    "GET /messages/{customer_id}": prepare_map,
}
STATUS = {"POST /customers/": 201, "POST /messages/send": 201, "POST /messages/inbox": 201}


@pytest.mark.parametrize("endpoint", BACKEND)
def test_an_endpoint_answers_as_the_seed_shows(world: Backend, endpoint: str) -> None:
    client = world.client()
    PREPARE.get(endpoint, lambda _: None)(client)
    method, path = endpoint.split(" ")
    body = example(endpoint, "request")
    answer = client.open(path.format(customer_id=1), method=method, json=body)
    assert answer.status_code == STATUS.get(endpoint, 200), answer.text
    expected = example(endpoint, "response")
    actual = answer.get_json()
    if isinstance(expected, list):
        assert actual, "an empty list proves nothing"
        if endpoint == "GET /messages/{customer_id}":
            assert [message["id"] for message in actual] == [122, 123]
    assert expected is None or find_difference(expected, actual) is None


def test_what_was_sent_comes_back_in_the_answer(world: Backend) -> None:
    client = world.client()
    body = example("POST /customers/", "request")
    assert body.items() <= client.post("/customers/", json=body).get_json().items()
    body = example("POST /messages/send", "request")
    answer = client.post("/messages/send", json=body).get_json()
    expected = example("POST /messages/send", "response")
    told = {"customer_id", "content", "direction", "ack", "whatsapp_id"}
    assert {name: answer[name] for name in told} == {name: expected[name] for name in told}
    assert len(answer["timestamp"]) == len(expected["timestamp"])


def record_inbound(client: FlaskClient) -> None:
    body = example("POST /messages/inbox", "request")
    assert client.post("/messages/inbox", json=body).status_code == 201


def record_seen(client: FlaskClient) -> None:
    body = example("POST /webhooks/whatsapp/seen", "request")
    assert client.post("/webhooks/whatsapp/seen", json=body).status_code == 200


EVENTS = {
    "inbound_message": record_inbound,
    "new_customer": record_inbound,
    "message_seen": record_seen,
}


@pytest.mark.parametrize("block", blocks("event"), ids=lambda block: block.document["type"])
def test_an_event_is_as_the_seed_shows(world: Backend, block: Any) -> None:
    expected = block.document
    EVENTS[expected["type"]](world.client())
    told = [event for event in world.events() if event["type"] == expected["type"]]
    assert len(told) == 1
    if "customer" in expected and told[0]["customer"]["photo_url"] is None:
        expected["customer"]["photo_url"] = None  # a first message brings no picture
    assert find_difference(expected, told[0]) is None


def test_a_new_customer_is_told_with_the_message_that_brought_it(world: Backend) -> None:
    record_inbound(world.client())
    created, received = world.events()
    assert created["type"] == "new_customer"
    assert created["customer"] == received["customer"]
    assert created["customer"]["unread_count"] == 1


def test_an_error_is_as_the_seed_shows(client: FlaskClient) -> None:
    (expected,) = [block.document for block in blocks("error")]
    for answer in (client.get("/customers/9"), client.post("/messages/send", json={})):
        assert find_difference(expected, answer.get_json()) is None


@pytest.mark.parametrize("path", ["/metrics", "/customers/summary", "/docs", "/redoc"])
def test_the_addresses_that_the_seed_suggests_to_try_answer(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 200


def test_the_seeds_origins_may_call_from_a_browser(
    client: FlaskClient, make_customer: Make
) -> None:
    make_customer()
    for origin in ("http://localhost:3000", "http://127.0.0.1:3000"):
        answer = client.get("/customers/summary", headers={"Origin": origin})
        assert answer.headers["Access-Control-Allow-Origin"] == origin


def test_every_json_example_of_the_seed_is_used() -> None:
    walked = {*BACKEND, *GATEWAY}
    unused = [
        str(block)
        for block in blocks()
        if not (
            (block.kind in {"request", "response"} and block.endpoint in walked)
            or (block.kind == "event" and block.document["type"] in EVENTS)
            or block.kind == "error"
        )
    ]
    assert unused == []
    assert len(blocks()) == 20
    assert STREAM in endpoints()
    assert endpoints() == [*dict.fromkeys(endpoints())]
