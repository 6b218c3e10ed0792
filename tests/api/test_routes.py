"""Every route, and who gets past its door: one table, and no route beside it."""

import re
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from crm.models import Role, Scope
from tests.kit.accounts import Person, add_token, sign_in
from tests.kit.app import Backend

TOKEN = "t" * 40
CALLERS = ("nobody", "agent", "owner", "read token", "send token", "gateway", "wrong token")
IN = "in"
"""Past the door: whatever is answered then, it is neither 401 nor 403."""

ANYONE =   "in  in  in  in  in  in  in"  # fmt: skip
LOOK =     "401 in  in  in  in  401 401"  # fmt: skip
CHANGE =   "401 in  in  403 403 401 401"  # fmt: skip
SEND =     "401 in  in  403 in  401 401"  # fmt: skip
PERSON =   "401 in  in  403 403 401 401"  # fmt: skip
OWNER =    "401 403 in  403 403 401 401"  # fmt: skip
FIGURES =  "401 in  in  in  in  in  401"  # fmt: skip
SERVICES = "401 401 401 401 401 in  401"  # fmt: skip
TABLE = {
    "GET /openapi.json": ANYONE,
    "GET /docs": ANYONE,
    "GET /docs/assets/swagger/<path:name>": ANYONE,
    "GET /redoc": ANYONE,
    "GET /docs/assets/redoc/<path:name>": ANYONE,
    "GET /healthz": ANYONE,
    "GET /readyz": ANYONE,
    "GET /auth/state": ANYONE,
    "POST /auth/login": ANYONE,
    "GET /auth/setup": ANYONE,
    "POST /auth/setup": ANYONE,
    "GET /auth/me": PERSON,
    "POST /auth/password": PERSON,
    "GET /agents": OWNER,
    "POST /agents": OWNER,
    "PATCH /agents/<id:agent_id>": OWNER,
    "POST /agents/<id:agent_id>/reset_password": OWNER,
    "GET /tokens": OWNER,
    "POST /tokens": OWNER,
    "DELETE /tokens/<id:token_id>": OWNER,
    "GET /audit": OWNER,
    "GET /metrics": FIGURES,
    "GET /customers/summary": LOOK,
    "GET /customers/": LOOK,
    "POST /customers/": CHANGE,
    "GET /customers/export.csv": LOOK,
    "POST /customers/import": CHANGE,
    "GET /customers/<id:customer_id>": LOOK,
    "GET /customers/<id:customer_id>/totals": LOOK,
    "PATCH /customers/<id:customer_id>": CHANGE,
    "DELETE /customers/<id:customer_id>": CHANGE,
    "PUT /customers/<id:customer_id>/presence": CHANGE,
    "POST /customers/photo": SERVICES,
    "GET /messages": LOOK,
    "GET /messages/<id:customer_id>": LOOK,
    "POST /messages/send": SEND,
    "POST /messages/retry_failed": SEND,
    "POST /messages/<id:message_id>/retry": SEND,
    "POST /messages/<id:message_id>/cancel": SEND,
    "POST /messages/<id:customer_id>/mark_read": CHANGE,
    "GET /messages/events/stream": LOOK,
    "GET /gateway/status": LOOK,
    "GET /gateway/qr": LOOK,
    "POST /gateway/qr": CHANGE,
    "GET /templates": LOOK,
    "GET /media/<media_id>": LOOK,
    "POST /messages/inbox": SERVICES,
    "POST /messages/ack": SERVICES,
    "POST /messages/map": SERVICES,
    "POST /messages/failed": SERVICES,
    "POST /messages/media": SERVICES,
    "POST /webhooks/whatsapp/status": SERVICES,
    "POST /webhooks/whatsapp/seen": SERVICES,
    # The last ones, since they end the sessions that they are called in.
    "POST /auth/logout": PERSON,
    "POST /auth/logout_everywhere": PERSON,
}


@pytest.fixture
def closed(backend: Backend, with_sign_in: None, monkeypatch: pytest.MonkeyPatch) -> Backend:
    """A backend as in production: agents sign in, services have a token."""
    monkeypatch.setitem(backend.app.config, "INTERNAL_TOKENS", (TOKEN,))
    return backend


def routes(backend: Backend) -> Iterator[str]:
    for rule in backend.app.url_map.iter_rules():
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            yield f"{method} {rule.rule}"


def headers_of(caller: str, backend: Backend) -> dict[str, str]:
    """What tells a caller without a browser."""
    return {
        "nobody": dict,
        "read token": lambda: add_token(backend, Scope.READ),
        "send token": lambda: add_token(backend, Scope.SEND),
        "gateway": lambda: {"Authorization": f"Bearer {TOKEN}"},
        "wrong token": lambda: {"Authorization": "Bearer crm_" + "x" * 43},
    }[caller]()


def test_every_route_is_in_the_table(backend: Backend) -> None:
    assert sorted(routes(backend)) == sorted(TABLE)


@pytest.mark.parametrize("caller", CALLERS)
def test_everybody_gets_past_the_doors_of_the_table_and_no_other(
    closed: Backend, caller: str
) -> None:
    person = Person(closed)
    if caller in {"agent", "owner"}:
        person = sign_in(closed, role=Role(caller))
        headers = {"X-CSRF-Token": person.csrf}
    else:
        headers = headers_of(caller, closed)
    column = CALLERS.index(caller)
    differing = {}
    for route, row in TABLE.items():
        if route == "POST /auth/logout_everywhere" and person.csrf:
            headers = {"X-CSRF-Token": person.sign_in("mia").get_json()["csrf_token"]}
        got = knock(person.client, route, headers)
        if got != row.split()[column]:
            differing[route] = got
    assert differing == {}


def knock(client: FlaskClient, route: str, headers: dict[str, str]) -> str:
    """What a call brings whose body nothing can be done with."""
    method, rule = route.split()
    path = re.sub(r"<id:\w+>", "99", rule).replace("<path:name>", "x").replace("<media_id>", "x")
    body = {"data": b"{", "content_type": "application/json"} if method != "GET" else {}
    answer = client.open(path, method=method, headers=headers, buffered=False, **body)
    answer.close()
    if answer.status_code not in {401, 403}:
        return IN
    assert answer.get_json()["detail"]
    return str(answer.status_code)


@pytest.mark.parametrize("caller", ["nobody", "read token", "gateway", "wrong token"])
def test_a_head_or_a_wrong_method_opens_no_door(closed: Backend, caller: str) -> None:
    client, headers = closed.client(), headers_of(caller, closed)
    expected = 200 if caller == "read token" else 401
    assert client.head("/customers/summary", headers=headers).status_code == expected
    assert client.head("/messages/events/stream", headers=headers).status_code == expected
    assert client.put("/customers/1", headers=headers).status_code == 405
    overridden = headers | {"X-HTTP-Method-Override": "GET"}
    assert client.post("/messages/send", headers=overridden, json={}).status_code in {401, 403}
