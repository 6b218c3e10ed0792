"""Callers that were looked up a moment ago: remembered as what they are, and not once they left."""

from functools import partial

import pytest

from crm.actors import ActorKind
from crm.api.known_callers import known_callers
from crm.models import Role, Scope
from crm.queries.callers import Caller, find_agent
from crm.services import tokens
from tests.kit.accounts import COOKIE, Person, add_token, sign_in
from tests.kit.app import Backend

pytestmark = pytest.mark.usefixtures("with_sign_in", "long_memory")
find_known = partial(known_callers.find, kind=ActorKind.AGENT)


def test_a_session_is_asked_of_the_database_once_in_a_while_only(backend: Backend) -> None:
    person = sign_in(backend)
    looked_up: list[str] = []
    find_known(person.cookie, lambda proof: looked_up.append(proof))
    find_known(person.cookie, lambda proof: looked_up.append(proof))
    assert len(looked_up) == 2, "who is unknown is looked for each time"
    secret = person.secret
    known = find_known(secret, lambda proof: looked_up.append(proof))
    assert known
    assert len(looked_up) == 2


def test_who_signs_out_while_being_looked_up_is_not_remembered(backend: Backend) -> None:
    """The row was read as valid, and the caller kept only after the session had ended."""
    person, thief = sign_in(backend), Person(backend)
    thief.client.set_cookie(COOKIE, person.cookie)
    secret = person.secret
    known_callers.forget()

    def sign_out_meanwhile(proof: str) -> Caller | None:
        caller = find_agent(proof)
        assert person.call("POST", "/auth/logout").status_code == 204
        return caller

    with backend.app.app_context():
        assert find_known(secret, sign_out_meanwhile), "looked up before"
    assert thief.client.get("/customers/").status_code == 401


def test_a_sessions_secret_is_no_token_however_lately_the_session_was_used(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever copied the cookie can read it; as a token it would need no CSRF token."""
    noted: list[int] = []
    monkeypatch.setattr(tokens, "note_use", noted.append)
    person, thief = sign_in(backend, role=Role.OWNER), backend.client()
    headers = {"Authorization": f"Bearer {person.secret}"}
    assert person.is_signed_in
    for path in ("/customers/", "/customers/summary", "/auth/me", "/agents"):
        assert thief.get(path, headers=headers).status_code == 401, path
    state = thief.get("/auth/state", headers=headers)
    assert (state.status_code, state.get_json()) == (200, {"required": True, "me": None})
    assert noted == []
    assert person.is_signed_in


def test_a_token_is_no_sessions_secret_however_lately_it_was_used(backend: Backend) -> None:
    headers = add_token(backend, Scope.SEND)
    person = sign_in(backend)
    assert backend.client().get("/customers/", headers=headers).status_code == 200
    with person.client.session_transaction() as session:
        session["_user_id"] = headers["Authorization"].removeprefix("Bearer ")
    assert person.client.get("/customers/").status_code == 401
