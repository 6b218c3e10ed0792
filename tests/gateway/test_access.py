"""Who may call what."""

import dataclasses

import pytest

from gateway.app import create_app

TOKENS = ("a" * 32, "b" * 32)
INTERNAL = [
    ("GET", "/status"),
    ("GET", "/qr"),
    ("POST", "/send"),
    ("GET", "/messages/1"),
    ("GET", "/templates"),
    ("POST", "/erase"),
    ("POST", "/read"),
    ("GET", "/media/1"),
]
OPEN = {("GET", "/healthz")}
GUARDED_OTHERWISE = ("/simulator", "/webhook")
"""The simulator's page answers in development only; updates of WhatsApp's cloud are signed."""


@pytest.fixture
def guarded(settings):
    """A client of a gateway that has internal tokens."""
    app = create_app(dataclasses.replace(settings, internal_tokens=TOKENS))
    yield app.test_client()
    app.extensions["gateway"].stop()


@pytest.fixture
def open_client(idle_app):
    return idle_app.test_client()


@pytest.mark.parametrize("kind", ["settings", "cloud_settings"])
def test_every_route_has_a_row_here(request, kind):
    app = create_app(request.getfixturevalue(kind))
    app.extensions["gateway"].stop()
    routes = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if not rule.rule.startswith(GUARDED_OTHERWISE)
    }
    addresses = app.url_map.bind("localhost")
    rows = {
        (method, addresses.match(path, method=method, return_rule=True)[0].rule)
        for method, path in [*INTERNAL, *OPEN]
    }
    assert routes == rows


@pytest.mark.parametrize(("method", "path"), INTERNAL)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {TOKENS[0]}"},
        {"Authorization": TOKENS[0]},
        {"Authorization": f"Bearer {TOKENS[0]}x"},
        {"Authorization": "Bearer ÿ"},
    ],
)
def test_with_a_token_set_nobody_enters_without_it(guarded, method, path, headers):
    answer = guarded.open(path, method=method, data=b"{broken", headers=headers)
    assert answer.status_code == 401
    assert answer.json == {"detail": "This needs the internal token."}


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_either_token_opens_while_they_are_rotated(guarded, token, scheme):
    headers = {"Authorization": f"{scheme} {token}"}
    assert guarded.get("/status", headers=headers).status_code == 200


def test_with_a_token_a_caller_may_come_from_anywhere(guarded):
    answer = guarded.get(
        "/status",
        headers={"Authorization": f"Bearer {TOKENS[0]}", "X-Forwarded-For": "203.0.113.9"},
        environ_base={"REMOTE_ADDR": "203.0.113.9"},
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(("method", "path"), INTERNAL)
@pytest.mark.parametrize(
    "caller",
    [
        {"environ_base": {"REMOTE_ADDR": "203.0.113.9"}},
        {"environ_base": {"REMOTE_ADDR": ""}},
        {"headers": {"Origin": "http://localhost:3000"}},
        {"headers": {"Origin": "null"}},
        {"headers": {"X-Forwarded-For": "127.0.0.1"}},
        {"headers": {"X-Forwarded-Proto": "https"}},
        {"headers": {"Forwarded": "for=127.0.0.1"}},
        {"headers": {"Host": "attacker.example:3002"}},
    ],
)
def test_without_a_token_only_this_machine_enters(open_client, method, path, caller):
    answer = open_client.open(path, method=method, data=b"{broken", **caller)
    assert answer.status_code == 401
    assert answer.json["detail"]


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", ["localhost:3002", "127.0.0.1", "[::1]:3002"])
def test_every_loopback_address_is_this_machine(open_client, address, host):
    answer = open_client.get(
        "/status", headers={"Host": host}, environ_base={"REMOTE_ADDR": address}
    )
    assert answer.status_code == 200


def test_anyone_may_ask_whether_it_is_alive(guarded):
    answer = guarded.get("/healthz", environ_base={"REMOTE_ADDR": "203.0.113.9"})
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})
