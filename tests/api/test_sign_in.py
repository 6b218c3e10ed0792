"""Signing in: what is told, what is not, and how long that takes."""

import time

import pytest

from crm.actors import COMMAND_LINE
from crm.credentials import NOBODYS, fits, hash_password
from crm.models import Role
from crm.services import agents
from tests.kit.accounts import COOKIE, PASSWORD, Person, add_agent
from tests.kit.app import Backend

pytestmark = pytest.mark.usefixtures("with_sign_in")


def test_who_signs_in_is_told_who_they_are_and_may_work(backend: Backend) -> None:
    add_agent(backend, "Mia@Shop.Example", Role.OWNER)
    person = Person(backend)
    answer = person.sign_in(" mia@shop.EXAMPLE ")
    assert answer.status_code == 200
    told = answer.get_json()
    assert (told["name"], told["role"]) == ("Mia@Shop.Example", "owner")
    assert person.client.get("/auth/me").get_json() == told
    assert person.call("GET", "/customers/").get_json() == []
    body = {"name": "x", "phone": "60123456789"}
    assert person.call("POST", "/customers/", json=body).status_code == 201
    assert "worker" in person.client.get("/readyz").get_json()


def test_the_cookie_is_for_the_browser_alone(backend: Backend) -> None:
    add_agent(backend)
    cookie = Person(backend).sign_in("mia").headers["Set-Cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Expires=" in cookie


@pytest.mark.parametrize(
    ("login", "password"),
    [("mia", "wrong password"), ("nobody", PASSWORD), ("gone", PASSWORD), ("mia", "x" * 1024),
     ("mia", PASSWORD + " "), ("mia' OR '1'='1", PASSWORD), ("mia\r\nX-Evil: 1", PASSWORD)],
)  # fmt: skip
def test_whatever_is_wrong_the_answer_is_the_same(
    backend: Backend, login: str, password: str
) -> None:
    add_agent(backend)
    add_agent(backend, "gone")
    with backend.app.app_context():
        agents.disable_agent("gone", actor=COMMAND_LINE)
    person = Person(backend)
    answer = person.sign_in(login, password)
    assert answer.status_code == 401
    assert answer.get_json() == {"detail": "Login or password is wrong."}
    assert "Set-Cookie" not in answer.headers
    assert "X-Evil" not in answer.headers
    assert not person.is_signed_in


@pytest.mark.parametrize(
    "body",
    [{}, {"login": "mia"}, {"login": "mia", "password": ""},
     {"login": "mia", "password": "x" * 1025}, {"login": ["mia"], "password": PASSWORD},
     {"login": "mia", "password": {"$ne": ""}}, {"login": "mia\0", "password": PASSWORD}],
)  # fmt: skip
def test_what_is_no_sign_in_is_a_422(backend: Backend, body: dict[str, object]) -> None:
    assert Person(backend).client.post("/auth/login", json=body).status_code == 422


def test_an_unknown_name_takes_as_long_as_a_wrong_password(backend: Backend) -> None:
    add_agent(backend)
    person = Person(backend)

    def seconds(login: str) -> float:
        started = time.thread_time()  # of this thread alone, which also runs the app
        assert person.sign_in(login, "wrong password").status_code == 401
        return time.thread_time() - started

    known = min(seconds("mia") for _ in range(4))
    unknown = min(seconds("nobody") for _ in range(4))
    assert 0.6 < unknown / known < 1.6


def test_the_password_looked_at_for_nobody_costs_what_every_other_costs() -> None:
    made = hash_password("x")
    assert NOBODYS.rsplit("$", 2)[0] == made.rsplit("$", 2)[0]
    assert len(NOBODYS) == len(made)
    assert not fits("", None)


@pytest.mark.parametrize("required", [True, False])
def test_a_stranger_learns_whether_one_has_to_sign_in_and_no_more(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, required: bool
) -> None:
    monkeypatch.setitem(backend.app.config, "AUTH_REQUIRED", required)
    answer = backend.client().get("/auth/state")
    assert (answer.status_code, answer.get_json()) == (200, {"required": required, "me": None})
    assert backend.client().get("/auth/me").status_code == 401
