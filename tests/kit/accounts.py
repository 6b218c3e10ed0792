"""People who sign in and scripts with tokens, for tests of the API."""

from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from crm.actors import COMMAND_LINE
from crm.models import Agent, Role, Scope
from crm.services import agents, tokens
from tests.kit.app import Backend

PASSWORD = "correct horse battery"
COOKIE = "crm_session"


class Person:
    """A browser, and what its page knows: the CSRF token goes with every call."""

    def __init__(self, backend: Backend, *, address: str = "127.0.0.1") -> None:
        self.client: FlaskClient = backend.client()
        self.client.environ_base["REMOTE_ADDR"] = address
        self.csrf = ""

    def sign_in(self, login: str, password: str = PASSWORD) -> TestResponse:
        body = {"login": login, "password": password}
        answer = self.client.post("/auth/login", json=body)
        if answer.status_code == 200:
            self.csrf = answer.get_json()["csrf_token"]
        return answer

    def call(self, method: str, path: str, **request: Any) -> TestResponse:
        headers = {"X-CSRF-Token": self.csrf} | request.pop("headers", {})
        return self.client.open(path, method=method, headers=headers, **request)

    @property
    def cookie(self) -> str:
        """The session as a thief would copy it."""
        found = self.client.get_cookie(COOKIE)
        assert found is not None
        return found.value

    @property
    def secret(self) -> str:
        """The session's secret, as whoever has the cookie can read it."""
        with self.client.session_transaction() as session:
            return str(session["_user_id"])

    @property
    def is_signed_in(self) -> bool:
        return self.client.get("/auth/me").status_code == 200


def add_agent(backend: Backend, login: str = "mia", role: Role = Role.AGENT) -> Agent:
    """An agent whose password is `PASSWORD`."""
    with backend.app.app_context():
        return agents.create_agent(
            login=login,
            name=login.title(),
            role=role,
            password=PASSWORD,
            actor=COMMAND_LINE,
        )


def sign_in(backend: Backend, login: str = "mia", role: Role = Role.AGENT) -> Person:
    """A new agent, signed in."""
    add_agent(backend, login, role)
    person = Person(backend)
    assert person.sign_in(login).status_code == 200
    return person


def add_token(backend: Backend, scope: Scope) -> dict[str, str]:
    """A new token, as the header that a script sends."""
    with backend.app.app_context():
        _, text = tokens.create_token(name=f"{scope} script", scope=scope, actor=COMMAND_LINE)
    return {"Authorization": f"Bearer {text}"}
