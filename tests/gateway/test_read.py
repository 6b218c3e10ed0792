"""`POST /read`: no customer learns that they were read unless the shop wants it."""

import dataclasses

import pytest

from gateway.app import create_app
from gateway.drivers.base import DriverState, MarksRead, PermanentError
from tests.gateway.conftest import PHONE


@pytest.fixture
def telling(settings):
    """A client of a gateway that gives read receipts."""
    app = create_app(dataclasses.replace(settings, read_receipts=True))
    service = app.extensions["gateway"]
    service.start()
    assert service.wait_until_running(10)
    yield app.test_client()
    service.stop()


def write(client) -> str:
    body = {"phone": PHONE, "text": "hello"}
    return client.post("/simulator/inbound", json=body).json["whatsapp_id"]


def lines(client) -> list[dict]:
    phones = client.get("/simulator/state").json["phones"]
    return next(phone["lines"] for phone in phones if phone["phone"] == PHONE)


def test_by_default_no_receipt_is_sent(client):
    whatsapp_id = write(client)
    answer = client.post("/read", json={"to": PHONE, "whatsapp_ids": [whatsapp_id]})
    assert (answer.status_code, answer.json) == (200, {"receipt_sent": False})
    assert [line["read"] for line in lines(client)] == [False]


def test_where_it_is_wanted_the_messages_named_are_shown_as_read(telling):
    first, _second = write(telling), write(telling)
    answer = telling.post("/read", json={"to": f"+{PHONE}", "whatsapp_ids": [first]})
    assert (answer.status_code, answer.json) == (200, {"receipt_sent": True})
    assert [line["read"] for line in lines(telling)] == [True, False]


def test_a_connection_that_is_away_takes_no_receipt(telling):
    telling.post("/simulator/misbehave", json={"connection": "need_qr"})
    answer = telling.post("/read", json={"to": PHONE, "whatsapp_ids": ["A"]})
    assert answer.status_code == 503
    telling.post("/simulator/misbehave", json={"connection": "ready", "silent": True})
    telling.post("/simulator/misbehave", json={"silent_seconds": 0})
    answer = telling.post("/read", json={"to": PHONE, "whatsapp_ids": ["A"]})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]


def test_the_cloud_api_is_told_of_each_message(cloud, graph):
    assert isinstance(cloud, MarksRead)
    cloud.mark_read(PHONE, ["wamid.1", "wamid.2"])
    assert graph.account.read == ["wamid.1", "wamid.2"]
    assert graph.account.entries() == []


def test_a_message_that_the_cloud_api_does_not_know_keeps_no_other_from_being_shown_as_read(
    cloud, graph
):
    graph.misbehave(codes=[131009])
    cloud.mark_read(PHONE, ["wamid.1", "wamid.2"])
    assert graph.account.read == ["wamid.2"]


def test_a_refused_account_is_noticed_by_a_read_receipt(cloud, graph):
    graph.misbehave(token_refused=True)
    with pytest.raises(PermanentError):
        cloud.mark_read(PHONE, ["wamid.1"])
    assert cloud.state() is DriverState.LOGGED_OUT


@pytest.mark.parametrize(
    "body", [{"to": PHONE}, {"to": PHONE, "whatsapp_ids": []}, {"whatsapp_ids": ["A"]}]
)
def test_what_names_no_message_is_refused(client, body):
    assert client.post("/read", json=body).status_code == 422
