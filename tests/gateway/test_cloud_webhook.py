"""`/webhook`: open to everyone, believes only what is signed, stores before it answers."""

import json

import pytest

from gateway.app import create_app
from gateway.drivers.cloud.webhook import MAX_UPDATE, is_signed
from gateway.store.updates import find_oldest
from tests.gateway.test_cloud_reading import change, message, update
from tests.kit.graph_account import SECRET, VERIFY_TOKEN
from tests.kit.graph_webhooks import sign
from tests.kit.waiting import eventually

RAW = update(change(messages=[message()])).encode()


@pytest.fixture
def app(cloud_settings):
    """A gateway whose driver is connected, and whose threads do not read what is kept."""
    made = create_app(cloud_settings)
    service = made.extensions["gateway"]
    service.driver.connect(service.recorder)
    yield made
    service.stop()


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture
def kept(app):
    def look():
        with app.extensions["gateway"].store.reading() as connection:
            return find_oldest(connection)

    return look


def post(client, raw: bytes, signature: str | None):
    headers = {} if signature is None else {"X-Hub-Signature-256": signature}
    # As it comes in life: from another machine, through a proxy, without our token.
    headers["X-Forwarded-For"] = "173.252.88.1"
    return client.post("/webhook", data=raw, headers=headers)


def test_what_is_signed_is_kept_as_it_came(client, kept):
    assert post(client, RAW, sign(RAW)).status_code == 200
    assert kept().raw.encode() == RAW


@pytest.mark.parametrize(
    "signature",
    [None, "", "sha256=", "sha256=" + "0" * 64, sign(RAW, "other"), sign(RAW)[7:], "sha256=é"],
)
def test_what_is_forged_is_refused_and_not_kept(client, kept, signature):
    assert post(client, RAW, signature).status_code == 403
    assert kept() is None


def test_the_signature_is_of_the_bytes_and_not_of_their_meaning(client, kept):
    same = json.dumps(json.loads(RAW), indent=1).encode()
    assert post(client, same, sign(RAW)).status_code == 403
    assert kept() is None


def test_a_signature_is_read_as_meta_writes_it():
    # Computed with: printf '{}' | openssl dgst -sha256 -hmac app-secret
    known = "sha256=bd9549eb87a414d3df28b5a60ea86d4a11e2f1c6258edbd18f56d3c23c0f908d"
    assert is_signed(b"{}", known, SECRET)


def test_an_update_of_three_megabytes_is_taken_and_no_larger_one(client, kept):
    largest = RAW + b" " * (MAX_UPDATE - len(RAW))
    assert post(client, largest, sign(largest)).status_code == 200
    too_large = largest + b" "
    assert post(client, too_large, sign(too_large)).status_code == 413


def test_bytes_that_no_database_keeps_are_replaced(client, kept):
    raw = b'{"a": "\xff\x00"}'
    assert post(client, raw, sign(raw)).status_code == 200
    assert kept().raw == '{"a": "��"}'


def test_meta_s_question_is_answered_with_its_challenge(client):
    query = {"hub.mode": "subscribe", "hub.verify_token": VERIFY_TOKEN, "hub.challenge": "115820"}
    answer = client.get("/webhook", query_string=query)
    assert (answer.status_code, answer.text) == (200, "115820")
    assert answer.mimetype == "text/plain"


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"hub.mode": "subscribe", "hub.challenge": "1"},
        {"hub.mode": "subscribe", "hub.verify_token": "wrong", "hub.challenge": "1"},
        {"hub.mode": "subscribe", "hub.verify_token": "é", "hub.challenge": "1"},
        {"hub.verify_token": VERIFY_TOKEN, "hub.challenge": "1"},
    ],
)
def test_a_wrong_question_is_refused(client, query):
    assert client.get("/webhook", query_string=query).status_code == 403


def test_before_it_is_connected_an_update_is_not_answered_for(cloud_settings):
    app = create_app(cloud_settings)
    try:
        assert post(app.test_client(), RAW, sign(RAW)).status_code == 503
    finally:
        app.extensions["gateway"].stop()


def test_other_routes_still_take_no_large_body_and_no_stranger(client):
    assert client.post("/send", data=b" " * (256 * 1024 + 1)).status_code == 413
    answer = client.get("/status", headers={"X-Forwarded-For": "173.252.88.1"})
    assert answer.status_code == 401


def test_what_is_kept_is_read_and_told(cloud_settings, graph, backend):
    app = create_app(cloud_settings)
    service = app.extensions["gateway"]
    service.start()
    try:
        eventually(lambda: service.driver.state() == "ready")
        assert post(app.test_client(), RAW, sign(RAW)).status_code == 200
        (told,) = eventually(lambda: backend.bodies("/messages/inbox"))
        assert told["window_closes_at"] == "2025-06-09T20:59:43.000000"
    finally:
        service.stop()
