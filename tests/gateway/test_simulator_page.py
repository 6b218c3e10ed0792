"""`/simulator`: only for this machine, only from its own page, and without foreign requests."""

import dataclasses
import re

import pytest

from gateway.app import create_app
from gateway.drivers.simulator.people import CAST
from tests.gateway.conftest import PHONE
from tests.kit.waiting import eventually

PATHS = ["/simulator", "/simulator/state", "/simulator/log", "/simulator/static/simulator.js"]


def test_the_page_asks_nobody_else_for_anything(client):
    answer = client.get("/simulator")
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    links = re.findall(r'(?:src|href)="([^"]*)"', answer.text)
    assert links
    assert all(link.startswith("/simulator/static/") for link in links)
    assert "<script>" not in answer.text
    for link in links:
        with client.get(link) as linked:
            assert linked.status_code == 200


def test_the_state_shows_the_phones_and_their_chats(client, send):
    send(1, "good morning")
    client.post("/simulator/inbound", json={"phone": PHONE, "text": "hi", "name": "MK Gan"})
    state = eventually(lambda: (s := client.get("/simulator/state").json)["received"] and s)
    chats = {phone["phone"]: phone for phone in state["phones"]}
    assert {person.phone for person in CAST} <= set(chats)
    assert chats[PHONE]["name"] == "MK Gan"
    lines = {line["text"]: line["ack"] for line in chats[PHONE]["lines"]}
    assert lines == {"good morning": 1, "hi": None}


def test_the_page_s_memory_of_chats_is_bounded(client):
    for number in range(80):
        client.post("/simulator/inbound", json={"phone": str(10_000 + number), "text": "hi"})
    phones = [phone["phone"] for phone in client.get("/simulator/state").json["phones"]]
    assert len(phones) == 60
    assert {person.phone for person in CAST} <= set(phones)
    assert "10079" in phones


def test_pictures_are_drawn_here_and_change(client):
    path = f"/simulator/pictures/{CAST[0].phone}.svg"
    first, second = (client.get(f"{path}?v={number}") for number in (1, 2))
    assert first.mimetype == "image/svg+xml"
    assert first.data != second.data
    assert client.get("/simulator/pictures/1234567.svg").status_code == 404


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "caller",
    [
        {"environ_base": {"REMOTE_ADDR": "203.0.113.9"}},
        {"headers": {"Host": "attacker.example"}},
        {"headers": {"X-Forwarded-For": "127.0.0.1"}},
        {"headers": {"Origin": "http://localhost:3000"}},
        {"headers": {"Origin": "null"}},
    ],
)
def test_strangers_are_refused(client, path, caller):
    answer = client.get(path, **caller)
    assert answer.status_code == 403
    assert answer.json["detail"]


def test_its_own_page_may_post(client):
    body = {"phone": PHONE, "text": "hi"}
    headers = {"Origin": "http://localhost"}
    assert client.post("/simulator/inbound", json=body, headers=headers).status_code == 201


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_form_of_another_page_cannot_post(client, kind):
    answer = client.post("/simulator/people", data=b'{"active": true}', content_type=kind)
    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("misbehave", {"no_such_thing": 1}),
        ("misbehave", {"unavailable": 101}),
        ("misbehave", {"unavailable": True}),
        ("misbehave", {"send_delay": -1}),
        ("misbehave", {"connection": "on fire"}),
        ("misbehave", {"read_after": [5, 1]}),
        ("misbehave", {"refused": ["nobody"]}),
        ("misbehave", []),
        ("inbound", {"phone": PHONE}),
        ("inbound", {"phone": "12", "text": "hi"}),
        ("inbound", {"phone": PHONE, "text": "hi", "name": "\ud800"}),
        ("inbound", {"phone": PHONE, "text": "hi", "whatsapp_id": "with space"}),
        ("inbound", {"phone": PHONE, "text": "hi", "media": {"kind": "song"}}),
        ("inbound", {"phone": PHONE, "text": "hi", "media": {"data": "???"}}),
        ("inbound", {"phone": PHONE, "text": "hi", "media": {"mime": ""}}),
        ("inbound", {"phone": PHONE, "text": "hi", "media": []}),
        ("misbehave", {"silent": "perhaps"}),
        ("people", {}),
    ],
)
def test_bad_orders_are_refused(client, path, body):
    answer = client.post(f"/simulator/{path}", json=body)
    assert answer.status_code == 422
    assert answer.json["detail"]


def test_misbehaviour_changes_only_what_is_named(client):
    client.post("/simulator/misbehave", json={"lost_answers": 5})
    ordered = client.post("/simulator/misbehave", json={"late_acks": 1.5}).json
    assert (ordered["lost_answers"], ordered["late_acks"]) == (5, 1.5)


@pytest.mark.parametrize("path", PATHS)
def test_without_its_setting_there_is_no_such_page(settings, path):
    app = create_app(dataclasses.replace(settings, simulator_enabled=False))
    assert app.test_client().get(path).status_code == 404
    app.extensions["gateway"].stop()
