"""Connections to PostgreSQL: what a request finds prepared, and what it finds ended."""

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
def _only_there(backend: Backend) -> None:
    """Where there is a server that answers."""
    with backend.app.app_context():
        if db.engine.dialect.name != "postgresql":
            pytest.skip("SQLite has no server")
        db.engine.dispose()  # so that one new connection serves the whole test


@pytest.fixture
def _ended(database_url: str) -> None:
    """The server has ended every connection, as when it restarts."""
    with psycopg.connect(database_url) as other:
        assert other.execute(_END_ALL).fetchall()


def test_what_requests_ask_again_and_again_stays_prepared(
    backend: Backend, client: FlaskClient, make_customer: Make, send: Make
) -> None:
    customer = make_customer()
    for _ in range(10):
        send(customer["id"])
        assert client.get(f"/messages/{customer['id']}?limit=50").status_code == 200
        assert client.get("/customers/summary?limit=50&sort=unread").status_code == 200
    with backend.app.app_context(), db.engine.connect() as connection:
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


@pytest.mark.parametrize("first", ["read", "send"])
def test_a_column_of_another_type_fails_one_request_at_most(
    client: FlaskClient, make_customer: Make, database_url: str, first: str
) -> None:
    customer_id = make_customer()["id"]

    def read() -> int:
        return client.get(f"/customers/{customer_id}").status_code

    def send() -> int:
        body = {"customer_id": customer_id, "content": "Hello"}
        return client.post("/messages/send", json=body).status_code

    for _ in range(10):
        assert (read(), send()) == (200, 201)
    with psycopg.connect(database_url) as other:
        other.execute("ALTER TABLE customers ALTER COLUMN name TYPE varchar(300)")
    try:
        assert {"read": read, "send": send}[first]() in {200, 201, 503}
        assert (read(), send()) == (200, 201)
    finally:
        with psycopg.connect(database_url) as other:
            other.execute("ALTER TABLE customers ALTER COLUMN name TYPE varchar(120)")
