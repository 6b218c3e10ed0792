"""How often one may call, with Redis, without it, and with one that is frozen."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from limits.storage import RedisStorage

from crm.api.limits import count_sign_in, limiter
from crm.models import Role, Scope
from tests.kit.accounts import PASSWORD, Person, add_agent, add_token, sign_in
from tests.kit.app import Backend, running_backend
from tests.kit.redis_server import RedisServer
from tests.kit.waiting import eventually

TOKEN = "t" * 40


@pytest.fixture
def few(backend: Backend, with_sign_in: None, monkeypatch: pytest.MonkeyPatch) -> Backend:
    """Three requests a minute."""
    monkeypatch.setitem(backend.app.config, "RATE_LIMIT", "3/minute")
    monkeypatch.setitem(backend.app.config, "INTERNAL_TOKENS", (TOKEN,))
    return backend


def statuses(person: Person, count: int, path: str = "/customers/") -> list[int]:
    return [person.client.get(path).status_code for _ in range(count)]


def test_an_account_is_tried_ten_times_in_five_minutes(backend: Backend) -> None:
    add_agent(backend)
    for number in range(10):
        guesser = Person(backend, address=f"203.0.113.{number}")
        assert guesser.sign_in("mia", "wrong password").status_code == 401
    answer = Person(backend).sign_in("MIA ")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 300
    assert answer.get_json() == {"detail": "Too many requests; try again later."}
    add_agent(backend, "noa")
    assert Person(backend).sign_in("noa").status_code == 200


def test_an_unknown_account_is_limited_like_any_other(backend: Backend) -> None:
    person = Person(backend)
    given = [person.sign_in("nobody").status_code for _ in range(11)]
    assert given == [401] * 10 + [429]


def test_an_address_tries_sixty_times_in_five_minutes(backend: Backend) -> None:
    person = Person(backend, address="203.0.113.77")
    for number in range(60):
        assert person.sign_in(f"nobody{number}", PASSWORD).status_code == 401
    assert person.sign_in("somebody else").status_code == 429
    assert Person(backend).sign_in("somebody else").status_code == 401


def test_a_whole_ipv6_network_of_one_customer_counts_as_one_address(backend: Backend) -> None:
    for number in range(60):
        person = Person(backend, address=f"2001:db8:7:7::{number:x}")
        assert person.sign_in(f"nobody{number}", PASSWORD).status_code == 401
    assert Person(backend, address="2001:db8:7:7:ffff::1").sign_in("noa").status_code == 429
    assert Person(backend, address="2001:db8:7:8::1").sign_in("noa").status_code == 401


def test_a_stranger_does_not_keep_the_first_owner_from_the_set_up(backend: Backend) -> None:
    body = {"token": "made up", "name": "x", "login": "x", "password": PASSWORD}
    stranger, owner = (Person(backend, address=f"203.0.113.{n}").client for n in (8, 9))
    given = [stranger.post("/auth/setup", json=body).status_code for _ in range(11)]
    assert given == [403] * 10 + [429]
    assert owner.post("/auth/setup", json=body).status_code == 403


def test_each_agent_and_each_token_has_requests_of_its_own(few: Backend) -> None:
    mia, noa = sign_in(few), sign_in(few, "noa")
    assert statuses(mia, 4) == [200, 200, 200, 429]
    assert statuses(mia, 1, "/customers/summary") == [429]
    answer = mia.client.get("/auth/me")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert answer.get_json()["detail"]
    assert statuses(noa, 1) == [200]
    headers = add_token(few, Scope.READ)
    given = [few.client().get("/customers/", headers=headers).status_code for _ in range(4)]
    assert given == [200, 200, 200, 429]


def test_services_health_and_strangers_are_not_limited(few: Backend) -> None:
    client = few.client()
    headers = {"Authorization": f"Bearer {TOKEN}"}
    for _ in range(6):
        assert client.post("/messages/ack", json={}, headers=headers).status_code == 422
        assert client.get("/metrics", headers=headers).status_code == 200
        assert client.get("/healthz").status_code == 200
        assert client.get("/customers/").status_code == 401


def test_where_nobody_has_to_sign_in_nobody_is_limited(
    few: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(few.app.config, "AUTH_REQUIRED", False)
    assert statuses(sign_in(few), 6) == [200] * 6


def test_an_agent_holds_ten_streams_whatever_sessions_it_has(
    backend: Backend, with_sign_in: None
) -> None:
    add_agent(backend)
    people = [Person(backend), Person(backend)]
    for person in people:
        person.sign_in("mia")
    path = "/messages/events/stream"
    streams = [people[n % 2].client.get(path, buffered=False) for n in range(10)]
    assert [stream.status_code for stream in streams] == [200] * 10
    refused = people[0].client.get(path, buffered=False)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert "too many event streams" in refused.get_json()["detail"]
    streams.append(sign_in(backend, "noa").client.get(path, buffered=False))
    streams.pop(0).close()
    streams.append(people[0].client.get(path, buffered=False))
    assert [stream.status_code for stream in streams[-2:]] == [200, 200]
    for stream in streams:
        stream.close()


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path / "redis")
    server.start()
    try:
        yield server
    finally:
        server.end()


@pytest.fixture
def on_own_redis(tmp_path: Path, own_redis: RedisServer) -> Iterator[Backend]:
    """A backend whose Redis may be harmed; nobody else uses the limiter meanwhile."""
    url = f"sqlite:///{tmp_path / 'crm.sqlite3'}"
    settings = {"auth_required": True, "rate_limit": "50/minute"}
    with running_backend(url, own_redis.url, settings) as running:
        limiter._storage_dead = False  # as the Redis of the test before may have left it
        yield running


@pytest.mark.parametrize("harm", ["freeze", "kill"])
def test_a_redis_that_is_frozen_or_gone_delays_nobody_and_limits_go_on(
    on_own_redis: Backend, own_redis: RedisServer, harm: str
) -> None:
    add_agent(on_own_redis, role=Role.OWNER)
    person = Person(on_own_redis)
    assert person.sign_in("mia").status_code == 200
    getattr(own_redis, harm)()
    for _ in range(8):
        assert seconds_to_count(on_own_redis) < 0.5
    waits = sorted(timed(person) for _ in range(40))
    assert waits[20] < 0.1
    add_agent(on_own_redis, "noa")
    given = [Person(on_own_redis).sign_in("noa").status_code for _ in range(11)]
    assert given == [200] * 10 + [429], "without Redis nobody counts"
    assert 429 in statuses(person, 60)


@pytest.mark.parametrize("harm", ["freeze", "kill"])
def test_a_list_asked_for_again_waits_for_a_redis_that_is_gone_once_only(
    on_own_redis: Backend,
    own_redis: RedisServer,
    long_memory: None,
    monkeypatch: pytest.MonkeyPatch,
    harm: str,
) -> None:
    """It is counted before Flask, and then by Flask; neither asks after the other has failed."""
    client, headers = on_own_redis.client(), add_token(on_own_redis, Scope.READ)
    before_flask = recorded(monkeypatch, limiter, "count")
    in_redis = recorded(monkeypatch, RedisStorage, "incr")
    for _ in range(2):
        assert client.get("/customers/", headers=headers).status_code == 200
    assert (before_flask, len(in_redis)) == ([True], 2)
    getattr(own_redis, harm)()
    for _ in range(4):
        assert client.get("/customers/", headers=headers).status_code == 200
    assert before_flask == [True, False, True, True, True], "counted in memory from then on"
    assert len(in_redis) == 3


def test_a_redis_that_comes_back_counts_again(
    on_own_redis: Backend, own_redis: RedisServer
) -> None:
    person = sign_in(on_own_redis)
    own_redis.freeze()
    assert statuses(person, 1) == [200]
    own_redis.thaw()

    def is_counted_in_redis() -> bool:
        person.client.get("/customers/")
        with own_redis.client() as client:
            counters = [client.get(key) for key in client.keys("crm:limits*/agent *")]
        return limiter.storage.check() and any(int(count or 0) > 1 for count in counters)

    eventually(is_counted_in_redis, timeout=20)


def recorded(monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> list[object]:
    """What each call of a method gave; None where it raised."""
    given: list[object] = []
    method = getattr(owner, name)

    def record(*args: object) -> object:
        given.append(None)
        at = len(given) - 1
        given[at] = method(*args)
        return given[at]

    monkeypatch.setattr(owner, name, record)
    return given


def seconds_to_count(backend: Backend) -> float:
    """What a sign-in waits for the counting alone."""
    with backend.app.test_request_context("/auth/login", method="POST"):
        started = time.perf_counter()
        count_sign_in("somebody")
        return time.perf_counter() - started


def timed(person: Person) -> float:
    started = time.perf_counter()
    assert person.client.get("/auth/me").status_code == 200
    return time.perf_counter() - started
