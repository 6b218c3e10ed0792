"""Connections to PostgreSQL: what a request finds prepared, and what it finds ended."""

from collections.abc import Iterator

import psycopg
import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from crm.extensions import db
from tests.kit.app import Backend
from tests.kit.fixtures import Make

_END_ALL = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture(autouse=True)
def _only_there(backend: Backend) -> Iterator[None]:
    """In the app's own context, where there is a server that answers."""
    with backend.app.app_context():
        if db.engine.dialect.name != "postgresql":
            pytest.skip("SQLite has no server")
        db.engine.dispose()  # a pool of one connection, which nobody has used
        yield


@pytest.fixture
def _ended(database_url: str) -> None:
    """The server has ended every connection, as when it restarts."""
    with psycopg.connect(database_url) as other:
        assert other.execute(_END_ALL).fetchall()


def test_what_requests_ask_again_and_again_stays_prepared(
    client: FlaskClient, make_customer: Make, send: Make
) -> None:
    customer = make_customer()
    for _ in range(10):
        send(customer["id"])
        assert client.get(f"/messages/{customer['id']}?limit=50").status_code == 200
        assert client.get("/customers/summary?limit=50&sort=unread").status_code == 200
    with db.engine.connect() as connection:
        prepared = connection.scalars(text("SELECT statement FROM pg_prepared_statements")).all()
    for told in ("INSERT INTO messages", "INSERT INTO events", '"client_message_id":'):
        assert any(told in statement for statement in prepared), told


def test_a_connection_that_was_ended_meanwhile_fails_no_read(
    client: FlaskClient, make_customer: Make, request: pytest.FixtureRequest
) -> None:
    make_customer()
    request.getfixturevalue("_ended")
    assert client.get("/customers/summary?limit=50").status_code == 200


def test_nor_a_send(make_customer: Make, send: Make, request: pytest.FixtureRequest) -> None:
    customer = make_customer()
    request.getfixturevalue("_ended")
    assert send(customer["id"])["status"] == "queued"
