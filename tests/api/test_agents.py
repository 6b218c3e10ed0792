"""Accounts over HTTP: an owner makes, changes, disables and rescues them."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from crm.models import Agent, AuditEntry, Role, Scope
from tests.kit.accounts import PASSWORD, Person, add_agent, sign_in
from tests.kit.app import Backend
from tests.kit.waiting import eventually

pytestmark = pytest.mark.usefixtures("with_sign_in")
NOA = {"login": " NOA@shop.example ", "name": "Noa"}


@pytest.fixture
def owner(backend: Backend) -> Person:
    return sign_in(backend, role=Role.OWNER)


def audited(backend: Backend) -> list[tuple[str, str | None]]:
    """What the audit says that agents did, without their sign-ins."""
    with backend.session() as session:
        entries = session.query(AuditEntry).order_by(AuditEntry.id).all()
        return [
            (entry.action, entry.subject)
            for entry in entries
            if entry.actor["kind"] == "agent" and entry.action != "signed_in"
        ]


def stored(backend: Backend, agent_id: int) -> tuple[str, bool]:
    """Role, and whether the agent is disabled."""
    with backend.session() as session:
        agent = session.get_one(Agent, agent_id)
        return agent.role, agent.disabled_at is not None


def test_an_owner_makes_an_account_whose_password_is_shown_once(
    backend: Backend, owner: Person
) -> None:
    answer = owner.call("POST", "/agents", json=NOA)
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    made = answer.get_json()
    assert (made["login"], made["name"], made["role"]) == ("noa@shop.example", "Noa", "agent")
    listed = owner.client.get("/agents").get_json()
    assert [agent["login"] for agent in listed] == ["mia", "noa@shop.example"]
    assert all(agent.keys().isdisjoint({"password", "password_hash"}) for agent in listed)
    noa = Person(backend)
    assert noa.sign_in("noa@shop.example", made["password"]).status_code == 200
    body = {"old_password": made["password"], "new_password": PASSWORD}
    assert noa.call("POST", "/auth/password", json=body).status_code == 204
    assert owner.call("POST", "/agents", json=NOA).status_code == 409
    assert audited(backend)[0] == ("agent_created", f"agent {made['id']}")


@pytest.mark.parametrize(
    "changes",
    [
        {"login": "   "}, {"login": "x" * 255}, {"login": "\u00df" * 128}, {"login": "a\0b"},
        {"login": None}, {"name": "\t"}, {"name": "x" * 121}, {"name": "\ud800"},
        {"role": "admin"}, {"role": 1},
    ],
)  # fmt: skip
def test_an_account_that_cannot_be_kept_is_refused(
    backend: Backend, owner: Person, changes: dict[str, Any]
) -> None:
    before = backend.counts()
    body = {"data": json.dumps(NOA | changes), "content_type": "application/json"}
    assert owner.call("POST", "/agents", **body).status_code == 422
    assert backend.counts() == before


def test_the_longest_login_is_kept_as_it_is_folded(owner: Person) -> None:
    answer = owner.call("POST", "/agents", json=NOA | {"login": "\u00df" * 127})
    assert answer.status_code == 201
    assert answer.get_json()["login"] == "ss" * 127


def test_a_disabled_agent_is_out_at_once_and_comes_back_when_enabled(
    backend: Backend, owner: Person
) -> None:
    noa = sign_in(backend, "noa")
    (noas,) = [each for each in owner.client.get("/agents").get_json() if each["login"] == "noa"]
    path = f"/agents/{noas['id']}"
    answer = owner.call("PATCH", path, json={"disabled": True})
    assert answer.status_code == 200
    assert answer.get_json()["disabled_at"]
    assert not noa.is_signed_in
    assert noa.sign_in("noa").status_code == 401
    assert owner.call("PATCH", path, json={"disabled": True}).status_code == 200
    assert owner.call("PATCH", path, json={"disabled": False}).get_json()["disabled_at"] is None
    assert noa.sign_in("noa").status_code == 200
    subject = f"agent {noas['id']}"
    assert audited(backend) == [("agent_disabled", subject), ("agent_enabled", subject)]


def test_a_role_holds_in_sessions_that_are_open(backend: Backend, owner: Person) -> None:
    noa = sign_in(backend, "noa")
    path = f"/agents/{noa.client.get('/auth/me').get_json()['id']}"
    assert noa.client.get("/agents").status_code == 403
    changes = {"role": "owner", "name": "Noa the owner"}
    assert owner.call("PATCH", path, json=changes).status_code == 200
    assert noa.client.get("/agents").status_code == 200
    assert noa.client.get("/auth/me").get_json()["name"] == "Noa the owner"
    assert owner.call("PATCH", path, json={"role": "agent"}).status_code == 200
    assert noa.client.get("/agents").status_code == 403
    subject = path.replace("/agents/", "agent ")
    assert audited(backend) == [("agent_changed", subject)] * 2
    assert owner.call("PATCH", path, json={"role": "agent", "login": "other"}).status_code == 200
    assert len(audited(backend)) == 2, "nothing was changed"
    for refused in ({"disabled": "true"}, {"disabled": None}, {"role": None}, {"name": " "}):
        assert owner.call("PATCH", path, json=refused).status_code == 422


def test_the_last_owner_is_neither_disabled_nor_demoted(backend: Backend, owner: Person) -> None:
    path = f"/agents/{owner.client.get('/auth/me').get_json()['id']}"
    another = add_agent(backend, "noa", Role.OWNER)
    assert owner.call("PATCH", f"/agents/{another.id}", json={"disabled": True}).status_code == 200
    for changes in ({"disabled": True}, {"role": "agent"}, {"name": "x", "disabled": True}):
        answer = owner.call("PATCH", path, json=changes)
        assert answer.status_code == 409
        assert "last owner" in answer.get_json()["detail"]
    assert owner.is_signed_in
    assert owner.client.get("/auth/me").get_json()["name"] == "Mia"
    assert owner.call("PATCH", path, json={"role": "owner", "disabled": False}).status_code == 200
    assert owner.call("PATCH", f"/agents/{another.id}", json={"disabled": False}).status_code == 200
    assert owner.call("PATCH", path, json={"role": "agent"}).status_code == 200


def test_of_two_owners_who_disable_each_other_at_once_one_stays(backend: Backend) -> None:
    people = [sign_in(backend, login, Role.OWNER) for login in ("mia", "noa")]
    ids = [person.client.get("/auth/me").get_json()["id"] for person in people]

    def disable_the_other(number: int) -> int:
        path = f"/agents/{ids[1 - number]}"
        return people[number].call("PATCH", path, json={"disabled": True}).status_code

    with ThreadPoolExecutor(2) as pool:
        given = list(pool.map(disable_the_other, range(2)))
    assert given.count(200) == 1, given
    assert sorted(stored(backend, agent_id) for agent_id in ids) == [
        ("owner", False),
        ("owner", True),
    ]


def test_a_new_password_ends_every_session_of_the_one_who_lost_the_old(
    backend: Backend, owner: Person
) -> None:
    noa = sign_in(backend, "noa")
    agent_id = noa.client.get("/auth/me").get_json()["id"]
    answer = owner.call("POST", f"/agents/{agent_id}/reset_password")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert not noa.is_signed_in
    assert noa.sign_in("noa").status_code == 401
    assert noa.sign_in("noa", answer.get_json()["password"]).status_code == 200
    assert audited(backend) == [("password_reset", f"agent {agent_id}")]


@pytest.mark.parametrize("agent_id", [99, 2**63, 10**30])
def test_an_agent_that_is_not_there_is_told_so(owner: Person, agent_id: int) -> None:
    assert owner.call("PATCH", f"/agents/{agent_id}", json={"name": "x"}).status_code == 404
    assert owner.call("POST", f"/agents/{agent_id}/reset_password").status_code == 404


def test_a_token_goes_on_when_the_owner_who_made_it_is_disabled(
    backend: Backend, owner: Person
) -> None:
    """It is the shop's: a nightly report does not end with somebody's employment."""
    noa = sign_in(backend, "noa", Role.OWNER)
    made = noa.call("POST", "/tokens", json={"name": "Report", "scope": str(Scope.READ)}).get_json()
    agent_id = noa.client.get("/auth/me").get_json()["id"]
    assert owner.call("PATCH", f"/agents/{agent_id}", json={"disabled": True}).status_code == 200
    script = backend.client()
    headers = {"Authorization": f"Bearer {made['token']}"}
    assert script.get("/customers/", headers=headers).status_code == 200
    (listed,) = owner.client.get("/tokens").get_json()
    assert listed["created_by"] == "Noa", "an owner sees whose tokens to look at"
    assert owner.call("DELETE", f"/tokens/{made['id']}").status_code == 204
    eventually(lambda: script.get("/customers/", headers=headers).status_code == 401, timeout=15)
