"""A database that is locked answers 503 with Retry-After, and nothing is half done."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask.testing import FlaskClient
from sqlalchemy import create_engine, text

from tests.kit.app import Backend, shorter_patience
from tests.kit.fixtures import Make


@contextmanager
def locked(backend: Backend) -> Iterator[None]:
    """Somebody else holds the write lock."""
    url = backend.app.config["SQLALCHEMY_DATABASE_URI"]
    engine = create_engine(url)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text("LOCK TABLE customers IN SHARE ROW EXCLUSIVE MODE"))
        yield
        connection.rollback()
    engine.dispose()


def test_a_write_to_a_locked_database_is_a_503_and_reads_go_on(
    client: FlaskClient, backend: Backend, make_customer: Make
) -> None:
    make_customer()
    before = backend.counts()
    with shorter_patience(backend), locked(backend):
        answer = client.post("/messages/inbox", json={"phone": "60123456789", "content": "Hello"})
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 1
        assert answer.get_json() == {
            "detail": "The database is busy, nothing was changed; try again."
        }
        assert client.get("/customers/summary").status_code == 200
    assert backend.counts() == before
    assert backend.event_types() == ["new_customer"]
    answer = client.post("/messages/inbox", json={"phone": "60123456789", "content": "Hello"})
    assert answer.status_code == 201
