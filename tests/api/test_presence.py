"""PUT /customers/{id}/presence on a real Redis, with one that is frozen, and with none."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient
from redis import Redis

from crm.models import Scope
from tests.kit.accounts import add_token, sign_in
from tests.kit.app import Backend, running_backend
from tests.kit.fixtures import Make
from tests.kit.redis_server import RedisServer
from tests.kit.waiting import eventually

SYSTEM = {"kind": "system", "id": None, "name": None}


@pytest.fixture
def heard(backend: Backend) -> Iterator[Any]:
    """What goes over the event channel."""
    redis: Redis[Any] = backend.app.extensions["redis"]
    with redis.pubsub(ignore_subscribe_messages=True) as channel:
        channel.subscribe("crm:events")
        channel.get_message(timeout=1)  # the subscription itself

        def read() -> list[dict[str, Any]]:
            found = []
            while message := channel.get_message(timeout=0.3):
                found.append(orjson.loads(message["data"]))
            return found

        yield read


def say(client: FlaskClient, customer_id: int, state: str, client_id: str = "tab-1") -> Any:
    body = {"state": state, "client_id": client_id}
    answer = client.put(f"/customers/{customer_id}/presence", json=body)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def states(told: dict[str, Any]) -> dict[str, str]:
    return {each["client_id"]: each["state"] for each in told["present"]}


def test_the_answer_names_all_who_are_there(client: FlaskClient, make_customer: Make) -> None:
    customer_id, other_id = make_customer()["id"], make_customer()["id"]
    alone = say(client, customer_id, "viewing")
    assert alone["customer_id"] == customer_id
    (own,) = alone["present"]
    assert own == {
        "client_id": "tab-1",
        "agent": SYSTEM,
        "state": "viewing",
        "typing_until": None,
        "expires_at": own["expires_at"],
    }
    assert own["expires_at"] > alone["at"]
    told = say(client, customer_id, "typing", "tab-2")
    assert states(told) == {"tab-1": "viewing", "tab-2": "typing"}
    assert told["at"] < told["present"][1]["typing_until"] < told["present"][1]["expires_at"]
    assert states(say(client, customer_id, "away")) == {"tab-2": "typing"}
    assert states(say(client, other_id, "viewing")) == {"tab-1": "viewing"}


def test_a_change_is_told_without_an_id_and_a_repeat_is_not(
    client: FlaskClient, make_customer: Make, heard: Any
) -> None:
    customer_id = make_customer()["id"]
    told = say(client, customer_id, "viewing")
    for _ in range(3):
        say(client, customer_id, "viewing")
    say(client, customer_id, "away")
    say(client, customer_id, "away")
    first, last = heard()
    assert first == {"data": {"type": "presence"} | told}
    assert last["data"]["present"] == []


def test_presence_writes_nothing_into_the_database(
    client: FlaskClient, backend: Backend, make_customer: Make
) -> None:
    customer_id = make_customer()["id"]
    before = backend.counts()
    published = len(backend.published)
    for state in ("viewing", "typing", "away"):
        say(client, customer_id, state)
    assert (backend.counts(), len(backend.published)) == (before, published)


def test_what_is_kept_ends_by_itself_and_with_its_customer(
    client: FlaskClient, backend: Backend, make_customer: Make
) -> None:
    customer_id = make_customer()["id"]
    say(client, customer_id, "viewing")
    redis, key = backend.app.extensions["redis"], f"crm:presence:{customer_id}"
    assert 0 < redis.ttl(key) <= 45
    assert client.delete(f"/customers/{customer_id}").status_code == 204
    eventually(lambda: not redis.exists(key), timeout=10)
    body = {"state": "viewing", "client_id": "x"}
    assert client.put(f"/customers/{customer_id}/presence", json=body).status_code == 404
    assert not redis.exists(key)


@pytest.mark.parametrize("kept", [b"no JSON", b'{"a": 1}', b'[{"client_id": "x"}]', b"[1]"])
def test_what_another_release_kept_harms_nobody(
    client: FlaskClient, backend: Backend, make_customer: Make, kept: bytes
) -> None:
    customer_id = make_customer()["id"]
    backend.app.extensions["redis"].set(f"crm:presence:{customer_id}", kept)
    assert states(say(client, customer_id, "viewing")) == {"tab-1": "viewing"}


@pytest.mark.parametrize(
    "body",
    [{}, {"state": "viewing"}, {"client_id": "x"}, {"state": "here", "client_id": "x"},
     {"state": "viewing", "client_id": ""}, {"state": "viewing", "client_id": "x" * 65},
     {"state": "viewing", "client_id": "a\nb"}, {"state": "viewing", "client_id": 7}],
)  # fmt: skip
def test_what_says_nothing_clear_is_a_422(
    client: FlaskClient, make_customer: Make, body: dict[str, object]
) -> None:
    answer = client.put(f"/customers/{make_customer()['id']}/presence", json=body)
    assert answer.status_code == 422
    assert answer.get_json()["errors"]


def test_agents_are_shown_by_name_and_scripts_have_no_presence(
    backend: Backend, with_sign_in: None
) -> None:
    mia, noa = sign_in(backend), sign_in(backend, "noa")
    made = mia.call("POST", "/customers/", json={"name": "MK Gan", "phone": "60123456789"})
    path = f"/customers/{made.get_json()['id']}/presence"
    body = {"state": "viewing", "client_id": "same"}
    mia.call("PUT", path, json=body)
    told = noa.call("PUT", path, json=body).get_json()
    assert [each["agent"]["name"] for each in told["present"]] == ["Mia", "Noa"]
    headers = add_token(backend, Scope.SEND)
    assert backend.client().put(path, json=body, headers=headers).status_code == 403
    assert noa.client.put(path, json=body).status_code == 403, "without the CSRF token"


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path / "redis")
    server.start()
    try:
        yield server
    finally:
        server.end()


@pytest.mark.parametrize("harm", ["freeze", "kill"])
def test_without_redis_everybody_is_alone_and_only_the_first_call_waits(
    tmp_path: Path, own_redis: RedisServer, harm: str
) -> None:
    with running_backend(f"sqlite:///{tmp_path / 'crm.sqlite3'}", own_redis.url) as backend:
        client = backend.client()
        body = {"name": "MK Gan", "phone": "60123456789"}
        customer_id = client.post("/customers/", json=body).get_json()["id"]
        say(client, customer_id, "viewing", "other")
        getattr(own_redis, harm)()
        waits = []
        for _ in range(20):
            started = time.perf_counter()
            assert states(say(client, customer_id, "typing")) == {"tab-1": "typing"}
            waits.append(time.perf_counter() - started)
        assert say(client, customer_id, "away")["present"] == []
        assert sum(waits[1:]) < 1, "calls wait for Redis again and again"
        own_redis.thaw() if harm == "freeze" else own_redis.start()

        def sees_the_other() -> bool:
            say(client, customer_id, "viewing", "tab-2")
            return states(say(client, customer_id, "viewing")).keys() >= {"tab-1", "tab-2"}

        eventually(sees_the_other)
