"""The session's cookie: renewed once in a while, so that whoever works on stays signed in."""

import time
from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

from crm.api.callers import IDLE
from crm.api.slim_flask import RENEWED_AFTER
from tests.kit.accounts import COOKIE, PASSWORD, Person, sign_in
from tests.kit.app import Backend

pytestmark = pytest.mark.usefixtures("with_sign_in")
LIFE = IDLE.total_seconds()
PAGE = "/customers/summary?limit=2"
Wait = Callable[[float], None]


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Wait:
    """Lets seconds pass, as far as cookies know."""
    passed = 0.0

    def let_pass(seconds: float) -> None:
        nonlocal passed
        passed += seconds

    started = time.time()
    monkeypatch.setattr(time, "time", lambda: started + passed)
    return let_pass


def is_renewed(answer: TestResponse) -> bool:
    """Whether a good answer brought the session's cookie anew."""
    assert answer.status_code == 200
    return any(cookie.startswith(f"{COOKIE}=") for cookie in answer.headers.getlist("Set-Cookie"))


def ask(person: Person) -> TestResponse:
    return person.client.get("/auth/me")


def test_a_cookie_is_renewed_when_it_is_a_minute_old_and_not_before(
    backend: Backend, wait: Wait
) -> None:
    person = sign_in(backend)
    first = person.cookie
    for _ in range(3):
        assert not is_renewed(ask(person))
        wait(RENEWED_AFTER / 4)
    wait(RENEWED_AFTER / 4)
    assert is_renewed(ask(person))
    assert person.cookie != first
    assert not is_renewed(ask(person))


def test_who_works_on_stays_signed_in_for_longer_than_one_cookie_lasts(
    backend: Backend, wait: Wait
) -> None:
    person = sign_in(backend)
    for _ in range(5):
        wait(LIFE / 2)
        assert is_renewed(ask(person))


def test_a_session_is_over_so_long_after_its_cookie_was_last_renewed(
    backend: Backend, wait: Wait
) -> None:
    person, thief = sign_in(backend), Person(backend)
    thief.client.set_cookie(COOKIE, person.cookie)
    wait(RENEWED_AFTER - 1)
    assert not is_renewed(ask(person)), "so it is from the sign-in on that it counts"
    wait(LIFE - RENEWED_AFTER + 1)
    assert is_renewed(ask(person))
    wait(1)
    assert ask(thief).status_code == 401, "a copy is not renewed"
    wait(LIFE - 1)
    assert is_renewed(ask(person))
    wait(LIFE + 1)
    assert ask(person).status_code == 401


def test_a_session_that_changes_is_told_at_once(backend: Backend) -> None:
    person = sign_in(backend)
    assert is_renewed(
        person.client.post("/auth/login", json={"login": "mia", "password": PASSWORD})
    )
    person.client.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    assert is_renewed(ask(person)), "no longer fresh"
    assert not is_renewed(ask(person))


def test_a_list_that_a_browser_asks_for_each_second_is_answered_without_flask(
    backend: Backend, wait: Wait, long_memory: None, asked: list[str]
) -> None:
    person = sign_in(backend)
    del asked[:]
    for _ in range(5):
        wait(1)
        assert person.client.get(PAGE).status_code == 200
    assert len(asked) == 1
