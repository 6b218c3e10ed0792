"""Sessions: copied, forged, stale, planted and ended ones, and what else than the cookie counts."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from crm import clock
from crm.actors import COMMAND_LINE
from crm.api.feed import feed
from crm.extensions import Base
from crm.models import AgentSession, Role, Scope
from crm.services import agents
from tests.kit.accounts import COOKIE, PASSWORD, Person, add_agent, add_token, sign_in
from tests.kit.app import Backend
from tests.kit.waiting import eventually

pytestmark = pytest.mark.usefixtures("with_sign_in")


def test_a_signed_out_session_is_over_for_whoever_copied_it(backend: Backend) -> None:
    person = sign_in(backend)
    thief = Person(backend)
    thief.client.set_cookie(COOKIE, person.cookie)
    assert thief.is_signed_in
    assert person.call("POST", "/auth/logout").status_code == 204
    assert person.client.get_cookie(COOKIE) is None
    assert not thief.is_signed_in
    assert not person.is_signed_in


def test_what_was_recorded_before_signing_out_opens_nothing_when_it_is_sent_again(
    backend: Backend,
) -> None:
    """Cookie, CSRF token and the body of the sign-in, as a proxy would have kept them."""
    person = sign_in(backend)
    replay = Person(backend)
    replay.client.set_cookie(COOKIE, person.cookie)
    replay.csrf = person.csrf
    body = {"name": "MK Gan", "phone": "60123456789"}
    assert replay.call("POST", "/customers/", json=body).status_code == 201
    old = (person.cookie, person.csrf)
    assert person.call("POST", "/auth/logout").status_code == 204
    before = backend.counts()
    for method, path in (("POST", "/customers/"), ("PATCH", "/customers/1"),
                         ("POST", "/auth/logout_everywhere"), ("GET", "/customers/")):  # fmt: skip
        request = {} if method == "GET" else {"json": {"name": "Other", "phone": "60129999999"}}
        assert replay.call(method, path, **request).status_code == 401, path
    assert backend.counts() == before
    # The password is still good: whoever has it may come in, by a door of their own.
    replay.client.set_cookie(COOKIE, old[0])
    assert replay.sign_in("mia").status_code == 200
    assert replay.cookie != old[0]
    assert replay.csrf != old[1]
    assert replay.is_signed_in
    thief = Person(backend)
    thief.client.set_cookie(COOKIE, old[0])
    assert not thief.is_signed_in


def test_one_question_tells_a_page_who_is_signed_in(backend: Backend) -> None:
    person = sign_in(backend)
    me = person.call("GET", "/auth/me").get_json()
    assert person.call("GET", "/auth/state").get_json() == {"required": True, "me": me}


def test_whether_one_is_signed_in_is_not_told_from_memory(backend: Backend) -> None:
    """Or a page asks one process and then another, and signs in and out by turns."""
    person = sign_in(backend)
    assert person.is_signed_in
    with backend.session() as session:
        session.execute(delete(AgentSession))
        session.commit()
    state = {"required": True, "me": None}
    assert person.call("GET", "/auth/state").get_json() == state
    assert not person.is_signed_in


def test_a_forged_or_broken_cookie_is_nobodys(backend: Backend) -> None:
    cookie = sign_in(backend).cookie
    for forged in (cookie[:-2] + "xx", cookie.split(".")[0], "x", "", "." * 300, "\xff"):
        person = Person(backend)
        person.client.set_cookie(COOKIE, forged)
        assert person.client.get("/customers/").status_code == 401, forged


def test_a_session_that_nobody_used_for_long_is_stale(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = sign_in(backend)
    assert person.is_signed_in
    lifetime = "PERMANENT_SESSION_LIFETIME"
    monkeypatch.setitem(backend.app.config, lifetime, timedelta(seconds=-1))
    assert not person.is_signed_in


def test_a_session_ends_however_busy_it_is(backend: Backend) -> None:
    person = sign_in(backend)
    with backend.session() as session:
        session.execute(update(AgentSession).values(ends_at=clock.now()))
    eventually(lambda: not person.is_signed_in, timeout=15)


def test_a_planted_session_is_not_the_one_that_is_signed_in(backend: Backend) -> None:
    """Session fixation: what the attacker knows beforehand is worth nothing afterwards."""
    add_agent(backend, "victim")
    attacker = sign_in(backend, "attacker")
    planted, victim = attacker.cookie, Person(backend)
    victim.client.set_cookie(COOKIE, planted)
    told = victim.sign_in("victim").get_json()
    assert told["name"] == "Victim"
    assert told["csrf_token"] != attacker.csrf
    assert victim.cookie != planted
    assert not attacker.is_signed_in


@pytest.mark.parametrize("token", [None, "", "x" * 43, "\xe9", "another's"])
def test_an_unsafe_call_without_the_sessions_csrf_token_is_refused(
    backend: Backend, token: str | None
) -> None:
    person = sign_in(backend)
    if token == "another's":
        token = sign_in(backend, "noa").csrf
    headers = {} if token is None else {"X-CSRF-Token": token}
    for method, path in (("POST", "/customers/"), ("DELETE", "/customers/1"),
                         ("POST", "/auth/logout"), ("POST", "/auth/password")):  # fmt: skip
        answer = person.client.open(path, method=method, json={}, headers=headers)
        assert answer.status_code == 403
        assert "X-CSRF-Token" in answer.get_json()["detail"]
    assert person.is_signed_in


@pytest.mark.parametrize("path", ["/auth/login", "/auth/logout", "/auth/password", "/tokens",
    "/auth/setup", "/messages/send"])  # fmt: skip
def test_a_page_of_another_origin_can_do_nothing_with_the_session(
    backend: Backend, path: str
) -> None:
    person = sign_in(backend, role=Role.OWNER)
    headers = {"Origin": "https://evil.example"}
    answer = person.call("POST", path, json={}, headers=headers)
    assert answer.status_code == 403
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert person.is_signed_in


def test_a_bearer_header_is_no_way_around_the_csrf_token(backend: Backend) -> None:
    person = sign_in(backend)
    for given, expected in (("Bearer x", 401), ("Basic x", 403), ("Bearer", 401)):
        headers = {"Authorization": given}
        answer = person.client.post("/customers/", json={}, headers=headers)
        assert answer.status_code == expected, given


def end_by_disabling(backend: Backend, person: Person) -> None:
    with backend.app.app_context():
        agents.disable_agent("mia", actor=COMMAND_LINE)


def end_by_reset(backend: Backend, person: Person) -> None:
    with backend.app.app_context():
        agents.reset_password("mia", "another password", actor=COMMAND_LINE)


def end_from_elsewhere(backend: Backend, person: Person) -> None:
    other = Person(backend)
    other.sign_in("mia")
    assert other.call("POST", "/auth/logout_everywhere").status_code == 204
    assert not other.is_signed_in


def end_by_new_password(backend: Backend, person: Person) -> None:
    other = Person(backend)
    other.sign_in("mia")
    body = {"old_password": PASSWORD, "new_password": "another password"}
    assert other.call("POST", "/auth/password", json=body).status_code == 204
    assert other.is_signed_in


ENDS = [end_by_disabling, end_by_reset, end_from_elsewhere, end_by_new_password]


@pytest.mark.parametrize("end", ENDS)
def test_a_session_ends_everywhere_its_open_stream_too(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, end: Callable[[Backend, Person], None]
) -> None:
    monkeypatch.setattr(feed, "look_at_holders", 0.1)
    person, colleague = sign_in(backend), sign_in(backend, "noa")
    streams = [
        each.client.get("/messages/events/stream", buffered=False) for each in (person, colleague)
    ]
    frames = [iter(stream.response) for stream in streams]
    assert all(next(each).startswith(b"id: ") for each in frames)
    held = feed.open_streams
    end(backend, person)
    eventually(lambda: feed.open_streams == held - 1, timeout=15)
    assert b"data:" not in b"".join(frames[0])
    eventually(lambda: not person.is_signed_in, timeout=15)
    assert colleague.is_signed_in
    for stream in streams:
        stream.close()


def test_a_stream_of_a_revoked_token_ends(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "look_at_holders", 0.1)
    headers = add_token(backend, Scope.READ)
    owner = sign_in(backend, role=Role.OWNER)
    stream = backend.client().get("/messages/events/stream", headers=headers, buffered=False)
    frames = iter(stream.response)
    next(frames)
    (token,) = owner.client.get("/tokens").get_json()
    assert owner.call("DELETE", f"/tokens/{token['id']}").status_code == 204
    assert b"data:" not in b"".join(frames)
    assert backend.client().get("/customers/", headers=headers).status_code == 401


def test_a_new_password_is_wanted_with_the_old_one(backend: Backend) -> None:
    person = sign_in(backend)
    body = {"old_password": "wrong password", "new_password": "another password"}
    assert person.call("POST", "/auth/password", json=body).status_code == 401
    body = {"old_password": PASSWORD, "new_password": "short"}
    assert person.call("POST", "/auth/password", json=body).status_code == 422
    body = {"old_password": PASSWORD, "new_password": "another password"}
    assert person.call("POST", "/auth/password", json=body).status_code == 204
    assert Person(backend).sign_in("mia").status_code == 401
    assert Person(backend).sign_in("mia", "another password").status_code == 200


def test_an_owner_whose_address_changed_works_on_but_signs_in_again_for_tokens(
    backend: Backend,
) -> None:
    owner = sign_in(backend, role=Role.OWNER)
    owner.client.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    # A thief may claim any address that the server did not see by itself.
    headers = {"X-Forwarded-For": "127.0.0.1"}
    assert owner.call("GET", "/customers/", headers=headers).status_code == 200
    body = {"name": "Report", "scope": "read"}
    assert owner.call("POST", "/tokens", json=body, headers=headers).status_code == 403
    owner.sign_in("mia")
    assert owner.call("POST", "/tokens", json=body).status_code == 201


def test_nothing_that_opens_a_door_is_in_the_database(backend: Backend) -> None:
    with backend.app.app_context():
        link = agents.offer_setup()
    owner = sign_in(backend, role=Role.OWNER)
    body = {"name": "Report", "scope": "send"}
    token = owner.call("POST", "/tokens", json=body).get_json()
    secret = owner.secret
    stored = ""
    with backend.session() as session:
        for table in Base.metadata.sorted_tables:
            stored += repr(session.execute(select(table)).all())
    for opener in (PASSWORD, token["token"], secret, link, owner.csrf):
        assert opener
        assert opener not in stored
    assert token["prefix"] in stored
    assert token["token"].startswith(token["prefix"])
    assert len(token["prefix"]) * 3 < len(token["token"])
