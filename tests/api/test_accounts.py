"""The first owner's link, tokens, the audit, and the commands of operators."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

from crm import clock
from crm.models import ApiToken, AuditEntry, Role, Scope, SetupLink
from crm.services import agents
from tests.kit.accounts import PASSWORD, Person, add_agent, add_token, sign_in
from tests.kit.app import Backend
from tests.kit.fixtures import PHONE, Make

SETUP = {"name": "Mia", "login": "mia@shop.example", "password": PASSWORD}


@pytest.fixture
def link(backend: Backend, with_sign_in: None) -> str:
    """The secret of a link for the first owner."""
    with backend.app.app_context():
        secret = agents.offer_setup()
    assert secret
    return secret


def test_the_first_owner_comes_in_by_the_link_once(backend: Backend, link: str) -> None:
    page = backend.client().get(f"/auth/setup?token={link}")
    assert page.mimetype == "text/html"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    person = Person(backend)
    answer = person.client.post("/auth/setup", json=SETUP | {"token": link})
    assert answer.status_code == 201
    assert answer.get_json()["role"] == "owner"
    person.csrf = answer.get_json()["csrf_token"]
    assert person.call("POST", "/tokens", json={"name": "a", "scope": "read"}).status_code == 201
    again = SETUP | {"token": link, "login": "thief@shop.example"}
    assert Person(backend).client.post("/auth/setup", json=again).status_code == 403
    assert Person(backend).sign_in(SETUP["login"]).status_code == 200
    with backend.app.app_context():
        assert agents.offer_setup() is None


def test_of_many_who_come_at_once_one_becomes_the_owner(backend: Backend, link: str) -> None:
    with backend.app.app_context():
        links = [link, agents.offer_setup()]

    def come(number: int) -> int:
        body = SETUP | {"token": links[number % 2], "login": f"owner{number}"}
        return backend.client().post("/auth/setup", json=body).status_code

    with ThreadPoolExecutor(4) as pool:
        given = sorted(pool.map(come, range(4)))
    assert given == [201, 403, 403, 403]
    assert backend.counts()["agents"] == 1


@pytest.mark.parametrize("token", ["x", "x" * 43, "\u00e9" * 20])
def test_a_link_that_nobody_made_opens_nothing(backend: Backend, link: str, token: str) -> None:
    answer = backend.client().post("/auth/setup", json=SETUP | {"token": token})
    assert answer.status_code == 403
    assert backend.counts()["agents"] == 0


def test_a_link_ends_after_a_day_and_with_any_other_account(backend: Backend, link: str) -> None:
    body = SETUP | {"token": link}
    with backend.session() as session:
        later = clock.now() + timedelta(hours=24)
        assert abs(session.scalar(select(SetupLink.expires_at)) - later) < timedelta(minutes=1)
        session.execute(update(SetupLink).values(expires_at=clock.now()))
    assert backend.client().post("/auth/setup", json=body).status_code == 403
    with backend.session() as session:
        session.execute(update(SetupLink).values(expires_at=later))
    add_agent(backend)
    assert backend.client().post("/auth/setup", json=body).status_code == 403


@pytest.mark.usefixtures("with_sign_in")
def test_a_token_does_what_its_scope_says_until_it_is_revoked(
    backend: Backend, make_customer_as: Make
) -> None:
    owner = sign_in(backend, role=Role.OWNER)
    customer = make_customer_as(owner)
    for scope, expected in (("read", 403), ("send", 201)):
        made = owner.call("POST", "/tokens", json={"name": "Nightly", "scope": scope})
        assert made.status_code == 201
        client = backend.client()
        headers = {"Authorization": f"Bearer {made.get_json()['token']}"}
        assert client.get("/customers/", headers=headers).status_code == 200
        body = {"customer_id": customer["id"], "content": "Hello"}
        sent = client.post("/messages/send", json=body, headers=headers)
        assert sent.status_code == expected
        address = f"/tokens/{made.get_json()['id']}"
        assert client.delete(address, headers=headers).status_code == 403
        assert owner.call("DELETE", address).status_code == 204
        assert client.get("/customers/", headers=headers).status_code == 401
    listed = owner.client.get("/tokens").get_json()
    assert [token["scope"] for token in listed] == ["send", "read"]
    assert all(token["revoked_at"] and token["last_used_at"] for token in listed)
    assert all("token" not in token for token in listed)
    assert owner.call("DELETE", "/tokens/99999").status_code == 404


@pytest.fixture
def make_customer_as() -> Make:
    def make(person: Person) -> dict[str, object]:
        answer = person.call("POST", "/customers/", json={"name": "MK Gan", "phone": PHONE})
        assert answer.status_code == 201, answer.text
        return answer.get_json()

    return make


@pytest.mark.usefixtures("with_sign_in")
def test_the_author_of_a_message_is_told_in_answers_lists_and_events(
    backend: Backend, make_customer_as: Make
) -> None:
    person = sign_in(backend)
    customer = make_customer_as(person)
    body = {"customer_id": customer["id"], "content": "Hello"}
    by_agent = person.call("POST", "/messages/send", json=body).get_json()
    headers = add_token(backend, Scope.SEND)
    by_token = backend.client().post("/messages/send", json=body, headers=headers).get_json()
    assert by_agent["author"]["kind"] == "agent"
    assert by_agent["author"]["name"] == "Mia"
    assert by_token["author"] == {
        "kind": "token",
        "id": by_token["author"]["id"],
        "name": "send script",
    }
    listed = person.client.get(f"/messages/{customer['id']}").get_json()
    told = [event["message"] for event in backend.events() if event["type"] == "outbound_message"]
    assert listed == told == [by_agent, by_token]


def test_without_sign_in_the_author_is_the_system_and_of_an_inbound_message_nobody(
    backend: Backend, make_customer: Make, send: Make, receive: Make
) -> None:
    customer = make_customer(phone=PHONE)
    sent, received = send(customer["id"]), receive(phone=PHONE)
    assert sent["author"] == {"kind": "system", "id": None, "name": None}
    assert received["author"] is None
    assert backend.client().get(f"/messages/{customer['id']}").get_json() == [sent, received]


@pytest.mark.usefixtures("with_sign_in")
def test_the_audit_tells_who_did_what_and_no_text_no_phone_and_no_password(
    backend: Backend, make_customer_as: Make
) -> None:
    add_agent(backend, "owner", Role.OWNER)
    owner = Person(backend, address="203.0.113.9")
    owner.sign_in("owner", "typed into the wrong field")
    owner.sign_in("typed into the wrong field", PASSWORD)
    owner.sign_in("owner")
    customer = make_customer_as(owner)
    assert owner.call("DELETE", f"/customers/{customer['id']}").status_code == 204
    owner.call("POST", "/tokens", json={"name": "Report", "scope": "read"})
    answer = owner.client.get("/audit")
    entries = answer.get_json()
    assert [entry["action"] for entry in entries] == [
        "token_created", "customer_deleted", "signed_in", "sign_in_failed", "sign_in_failed",
        "agent_created",
    ]  # fmt: skip
    assert entries[1]["subject"] == f"customer {customer['id']}"
    assert entries[1]["actor"]["name"] == "Owner"
    assert {entry["address"] for entry in entries} == {"203.0.113.9", None}
    assert entries[-1]["actor"] == {"kind": "system", "id": None, "name": "command line"}
    for hidden in (PHONE, "MK Gan", PASSWORD, "wrong field"):
        assert hidden not in answer.text


@pytest.mark.usefixtures("with_sign_in")
def test_the_audit_comes_in_pages(backend: Backend) -> None:
    owner = sign_in(backend, role=Role.OWNER)
    with backend.session() as session:
        for number in range(120):
            actor = {"kind": "system", "id": None, "name": f"{number}"}
            session.add(AuditEntry(at=clock.now(), action="signed_in", actor=actor))
    first = owner.client.get("/audit")
    assert len(first.get_json()) == 100
    following = owner.client.get(first.headers["Link"].split(">")[0].lstrip("<"))
    ids = [entry["id"] for entry in first.get_json() + following.get_json()]
    assert ids == sorted(set(ids), reverse=True)
    assert len(ids) == 122
    assert "Link" not in following.headers
    assert owner.client.get("/audit?limit=501").status_code == 422
    assert owner.client.get("/audit?limit=5&cursor=x").status_code == 422


@pytest.mark.usefixtures("with_sign_in")
def test_calls_of_what_is_not_everybodys_are_logged(backend: Backend) -> None:
    owner = sign_in(backend, role=Role.OWNER)
    with capture_logs() as lines:
        owner.client.get("/audit")
        owner.client.get("/customers/")
        backend.client().get("/tokens?secret=1")
        backend.client().post("/messages/inbox", json={"phone": PHONE, "content": "Hello"})
    told = [line for line in lines if line["event"] == "sensitive_access"]
    assert [(line["endpoint"], line["status"]) for line in told] == [
        ("audit.list_audit", 200),
        ("tokens.list_tokens", 401),
        ("callbacks.receive_message", 201),
    ]
    assert told[0]["who"].startswith("agent ")
    assert [line["who"] for line in told[1:]] == ["nobody", "service"]
    assert {line["address"] for line in told} == {"127.0.0.1"}
    assert PHONE not in repr(lines)
    assert "secret" not in repr(lines)


def run(backend: Backend, command: str) -> tuple[int, str]:
    result = backend.app.test_cli_runner().invoke(args=["agents", *command.split()])
    return result.exit_code, result.output


def test_operators_make_lock_out_and_list_agents(backend: Backend) -> None:
    code, said = run(backend, "create Mia@shop.example --name Mia --role owner")
    assert code == 0
    password = said.split("shown this once: ")[1].strip()
    person = Person(backend)
    assert person.sign_in("mia@shop.example", password).get_json()["role"] == "owner"
    assert run(backend, "create mia@SHOP.example")[0] == 1
    assert run(backend, "disable mia@shop.example")[0] == 0
    assert "disabled" in run(backend, "list")[1]
    assert Person(backend).sign_in("mia@shop.example", password).status_code == 401
    assert run(backend, "enable mia@shop.example")[0] == 0
    code, said = run(backend, "reset-password mia@shop.example")
    assert Person(backend).sign_in("mia@shop.example", password).status_code == 401
    password = said.split("shown this once: ")[1].strip()
    assert Person(backend).sign_in("mia@shop.example", password).status_code == 200
    assert run(backend, "disable nobody") == (1, "Error: There is no such agent.\n")
    assert run(backend, "setup-link") == (0, "")


def test_operators_may_choose_the_password(backend: Backend) -> None:
    runner = backend.app.test_cli_runner()
    command = ["agents", "create", "mia", "--ask"]
    result = runner.invoke(args=command, input="short\nshort\n")
    assert (result.exit_code, backend.counts()["agents"]) == (1, 0)
    result = runner.invoke(args=command, input=f"{PASSWORD}\n{PASSWORD}\n")
    assert result.exit_code == 0
    assert PASSWORD not in result.output
    assert Person(backend).sign_in("mia").status_code == 200


def test_a_tokens_use_is_noted_seldom(backend: Backend) -> None:
    headers, client = add_token(backend, Scope.READ), backend.client()
    client.get("/customers/", headers=headers)
    with backend.session() as session:
        noted = session.scalar(select(ApiToken.last_used_at))
    assert noted is not None
    client.get("/customers/", headers=headers)
    with backend.session() as session:
        assert session.scalar(select(ApiToken.last_used_at)) == noted
