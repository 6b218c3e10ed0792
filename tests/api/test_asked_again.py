"""A list asked for again in the same words: to nobody is it told whom Flask would refuse."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, update

from crm import clock
from crm.api import asked_again
from crm.api.known_callers import known_callers
from crm.models import Agent, AgentSession, ApiToken, Scope
from tests.kit.accounts import COOKIE, add_token, sign_in
from tests.kit.app import Backend
from tests.kit.fixtures import Make

PATHS = ["/customers/summary?limit=2", "/customers/summary", "/customers/?limit=1&search=mk",
    "/messages/{}?limit=2", "/messages/{}", "/messages?status=queued"]  # fmt: skip
PAGE = "/customers/summary?limit=2"
ORIGIN = "http://localhost:3000"
pytestmark = pytest.mark.usefixtures("long_memory")
Headers = dict[str, str]
Asked = list[str]


@pytest.fixture
def chat(make_customer: Make, send: Make) -> int:
    """Three customers, and three messages to the first; returns its id."""
    customers = [make_customer() for _ in range(3)]
    for n in range(3):
        send(customers[0]["id"], f"Message {n}")
    return customers[0]["id"]


@pytest.fixture(params=["stranger", "agent"])
def reader(backend: Backend, request: pytest.FixtureRequest) -> FlaskClient:
    """Whoever reads lists."""
    return backend.client() if request.param == "stranger" else sign_in(backend).client


def told(answer: Any) -> tuple[int, bytes, list[tuple[str, str]]]:
    """All that an answer says but its id, and the cookie that Flask alone renews."""
    of_one = {"X-Request-ID", "Set-Cookie"}
    return answer.status_code, answer.data, sorted(h for h in answer.headers if h[0] not in of_one)


def is_asked_again(asked: Asked, get: Callable[[], Any]) -> bool:
    """Whether what was just asked is now answered without Flask."""
    del asked[:]
    assert get().status_code in {200, 304}
    return not asked


@pytest.mark.parametrize("headers", [{}, {"Origin": ORIGIN}, {"Origin": "http://evil.example"},
    {"If-None-Match": "*"}, {"If-None-Match": '"old"', "Origin": ORIGIN},
    {"Accept": "text/html", "Range": "bytes=0-1"}], ids=str)  # fmt: skip
@pytest.mark.parametrize("path", PATHS)
def test_the_answer_without_flask_is_flasks_to_the_byte(
    reader: FlaskClient, asked: Asked, chat: int, make_customer: Make, path: str, headers: Headers
) -> None:
    path = path.format(chat)

    def get(**more: str) -> Any:
        return reader.get(path, headers=headers | more)

    first = get()
    del asked[:]
    assert told(get()) == told(first)
    make_customer()
    del asked[:]
    changed = get()
    assert asked == []
    assert told(changed) == told(get(X_Other="words"))
    assert len(asked) == 1


def test_a_list_that_a_client_had_is_told_whole_once_it_has_changed(
    client: FlaskClient, asked: Asked, chat: int, make_customer: Make
) -> None:
    headers = {"If-None-Match": client.get(PAGE).headers["ETag"]}
    assert client.get(PAGE, headers=headers).status_code == 304
    make_customer()
    del asked[:]
    changed = client.get(PAGE, headers=headers)
    assert (changed.status_code, asked) == (200, [])
    assert told(changed) == told(client.get(PAGE, headers={"X-Other": "words"}))


def test_each_answer_has_an_id_of_its_own_or_the_one_it_was_given(
    client: FlaskClient, asked: Asked, chat: int
) -> None:
    ids = [client.get(PAGE).headers["X-Request-ID"] for _ in range(3)]
    assert len(set(ids)) == 3
    del asked[:]
    given = client.get(PAGE, headers={"X-Request-ID": "given-by-caller"})
    assert (given.headers.getlist("X-Request-ID"), asked) == (["given-by-caller"], [])
    forged = client.get(PAGE, headers={"X-Request-ID": "a b\u00e9"})
    assert forged.headers["X-Request-ID"] not in {"a b\u00e9", "given-by-caller"}


OTHER_WORDS: list[dict[str, Any]] = [
    {"method": "HEAD"},
    {"query_string": "limit=3"},
    {"query_string": "limit=2&"},
    {"headers": {"Origin": ORIGIN}},
    {"headers": {"Host": "127.0.0.1"}},
    {"headers": {"Authorization": "Bearer forged"}},
    {"headers": {"User-Agent": "another"}},
    {"headers": {"X-Forwarded-For": "203.0.113.9"}},
    {"headers": {"X-HTTP-Method-Override": "DELETE"}},
    {"headers": {"Range": "bytes=0-1"}},
    {"headers": [("Accept", "a"), ("Accept", "b")]},
    {"environ_overrides": {"REMOTE_ADDR": "127.0.0.2"}},
    {"base_url": "https://localhost"},
]


@pytest.mark.parametrize("other", OTHER_WORDS, ids=str)
def test_other_words_are_for_flask(
    client: FlaskClient, asked: Asked, chat: int, other: dict[str, Any]
) -> None:
    usual: dict[str, Any] = {"method": "GET", "query_string": "limit=2"}
    client.open("/customers/summary", **usual)
    del asked[:]
    assert client.open("/customers/summary", **(usual | other)).status_code == 200
    assert len(asked) == 1


def test_a_cookie_makes_other_words(client: FlaskClient, asked: Asked, chat: int) -> None:
    client.get(PAGE)
    client.set_cookie(COOKIE, "forged")
    del asked[:]
    assert client.get(PAGE).status_code == 200
    assert len(asked) == 1


def test_flask_is_asked_anew_once_a_caller_is_no_longer_remembered(
    client: FlaskClient, asked: Asked, chat: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asked_again, "REMEMBERED", -1.0)
    del asked[:]
    for _ in range(3):
        assert client.get(PAGE).status_code == 200
    assert len(asked) == 3


def test_a_foreign_name_is_refused_however_often_the_list_was_told(
    client: FlaskClient, chat: int
) -> None:
    for _ in range(2):
        assert client.get(PAGE).status_code == 200
        assert client.get(PAGE, headers={"Host": "rebound.example"}).status_code == 403


@pytest.mark.parametrize("path", ["/auth/logout", "/auth/logout_everywhere"])
def test_who_signed_out_is_refused_at_once(
    backend: Backend, with_sign_in: None, asked: Asked, path: str
) -> None:
    person = sign_in(backend)
    thief = backend.client()
    thief.set_cookie(COOKIE, person.cookie)
    for _ in range(2):
        assert thief.get(PAGE).status_code == 200
    assert is_asked_again(asked, lambda: thief.get(PAGE))
    assert person.call("POST", path).status_code == 204
    assert thief.get(PAGE).status_code == 401


ENDINGS = {
    "session ended": delete(AgentSession),
    "agent disabled": update(Agent).values(disabled_at=clock.now()),
    "session over": update(AgentSession).values(ends_at=clock.now()),
}


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
def test_what_another_process_ended_is_known_here_when_callers_are_looked_up_anew(
    backend: Backend, with_sign_in: None, asked: Asked, ending: Any
) -> None:
    person = sign_in(backend)
    for _ in range(2):
        assert person.client.get(PAGE).status_code == 200
    assert is_asked_again(asked, lambda: person.client.get(PAGE))
    with backend.session() as session:
        session.execute(ending)
    known_callers.forget()  # as after the seconds for which they are remembered
    assert person.client.get(PAGE).status_code == 401


def test_a_revoked_token_is_refused(backend: Backend, with_sign_in: None, asked: Asked) -> None:
    client, headers = backend.client(), add_token(backend, Scope.READ)
    for _ in range(2):
        assert client.get(PAGE, headers=headers).status_code == 200
    assert is_asked_again(asked, lambda: client.get(PAGE, headers=headers))
    with backend.session() as session:
        session.execute(update(ApiToken).values(revoked_at=clock.now()))
    known_callers.forget()
    assert client.get(PAGE, headers=headers).status_code == 401


def test_a_stranger_is_refused_once_one_has_to_sign_in(
    backend: Backend, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        assert client.get(PAGE).status_code == 200
    monkeypatch.setitem(backend.app.config, "AUTH_REQUIRED", True)
    assert client.get(PAGE).status_code == 401


def test_a_refusal_is_no_permission(
    backend: Backend, with_sign_in: None, client: FlaskClient, asked: Asked
) -> None:
    for _ in range(2):
        assert client.get(PAGE).status_code == 401
    assert len(asked) == 2


def test_requests_without_flask_count_as_any_other(
    backend: Backend, with_sign_in: None, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(backend.app.config, "RATE_LIMIT", "4/minute")
    client = sign_in(backend).client
    del asked[:]
    given = [client.get(PAGE).status_code for _ in range(3)]
    assert (given, len(asked)) == ([200] * 3, 1)
    given = [client.get("/customers/?limit=1").status_code for _ in range(2)]
    assert given == [200, 429]
    assert client.get(PAGE).status_code == 429


def test_a_chat_of_a_customer_who_was_deleted_is_a_404(
    client: FlaskClient, asked: Asked, chat: int
) -> None:
    path = f"/messages/{chat}?limit=2"
    for _ in range(2):
        assert client.get(path).status_code == 200
    assert is_asked_again(asked, lambda: client.get(path))
    assert client.delete(f"/customers/{chat}").status_code == 204
    assert client.get(path).status_code == 404


def test_an_answer_that_failed_on_its_way_out_is_not_taken_for_a_permission(
    backend: Backend, client: FlaskClient, asked: Asked, chat: int
) -> None:
    def fail(_response: Any) -> Any:
        raise RuntimeError("a fault of ours")

    hooks = backend.app.after_request_funcs[None]
    hooks.append(fail)
    try:
        assert client.get(PAGE).status_code == 500
    finally:
        hooks.remove(fail)
    del asked[:]
    assert client.get(PAGE).status_code == 200
    assert len(asked) == 1


def test_room_is_made_by_dropping_those_whose_time_is_over(
    backend: Backend, client: FlaskClient, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asked_again, "MOST_KEPT", 2)
    monkeypatch.setattr(asked_again, "REMEMBERED", -1.0)
    client.get("/customers/summary?limit=1")
    monkeypatch.setattr(asked_again, "REMEMBERED", 3600.0)
    for path in (PAGE, "/customers/summary?limit=3"):
        client.get(path)
    assert is_asked_again(asked, lambda: client.get(PAGE))
    assert len(backend.app.extensions["asked_again"]._permitted) == 2
