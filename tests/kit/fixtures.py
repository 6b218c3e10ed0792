"""Fixtures around the backend in this process; a conftest imports those that it wants."""

from collections.abc import Callable, Iterator
from typing import Any

import flask
import pytest
from flask import request_started
from flask.testing import FlaskClient

from crm.api import asked_again, known_callers
from crm.models import Message
from tests.kit.app import Backend, running_backend
from tests.kit.redis_server import RedisServer

Make = Callable[..., dict[str, Any]]
PHONE = "60123456789"


@pytest.fixture(scope="module")
def migrated(database_url: str, redis_server: RedisServer) -> Iterator[Backend]:
    """The backend of a module; a test asks for `backend`, which is empty."""
    with running_backend(database_url, redis_server.url) as running:
        running.count_patiently()
        yield running


@pytest.fixture
def backend(migrated: Backend) -> Iterator[Backend]:
    """The backend with no rows, nothing sent, and a gateway that knows nothing."""
    migrated.rebind()
    yield migrated
    migrated.forget()


@pytest.fixture
def with_sign_in(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Agents have to sign in."""
    monkeypatch.setitem(backend.app.config, "AUTH_REQUIRED", True)


@pytest.fixture
def client(backend: Backend) -> FlaskClient:
    return backend.client()


@pytest.fixture
def make_customer(client: FlaskClient) -> Make:
    """Adds a customer by the API; a phone of its own unless one is given."""
    numbers = iter(range(10**6))

    def make(**fields: object) -> dict[str, Any]:
        body = {"name": "MK Gan", "phone": f"6012{next(numbers):07}"} | fields
        answer = client.post("/customers/", json=body)
        assert answer.status_code == 201, answer.text
        return answer.get_json()

    return make


@pytest.fixture
def send(client: FlaskClient) -> Make:
    """Sends a message by the API: `send(customer["id"], "Hello")`."""

    def make(customer_id: int, content: str = "Hello", **fields: object) -> dict[str, Any]:
        body = {"customer_id": customer_id, "content": content} | fields
        answer = client.post("/messages/send", json=body)
        assert answer.status_code == 201, answer.text
        return answer.get_json()

    return make


@pytest.fixture
def receive(client: FlaskClient) -> Make:
    """An inbound message, as the gateway tells it."""

    def make(**fields: object) -> dict[str, Any]:
        body = {"phone": PHONE, "content": "Hello", "name": "Customer Name"} | fields
        answer = client.post("/messages/inbox", json=body)
        assert answer.status_code in {200, 201}, answer.text
        return answer.get_json()

    return make


@pytest.fixture
def send_as(backend: Backend, make_customer: Make, send: Make) -> Make:
    """A message to a new customer, in a state: `send_as(dispatch="failed", error="…")`."""

    def make(**columns: object) -> dict[str, Any]:
        message = send(make_customer()["id"])
        backend.change(Message, message["id"], **{"dispatch": "queued", **columns})
        return message

    return make


@pytest.fixture
def long_memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Who was looked up stays known: no test depends on how soon it asks again."""
    for module in (known_callers, asked_again):
        monkeypatch.setattr(module, "REMEMBERED", 3600.0)
    yield
    known_callers.known_callers.forget()


@pytest.fixture
def asked(backend: Backend) -> Iterator[list[str]]:
    """The paths that Flask was asked for."""
    seen: list[str] = []

    def note(*_: object, **__: object) -> None:
        seen.append(flask.request.full_path)

    with request_started.connected_to(note, backend.app):
        yield seen
