"""A database that goes away in the midst of a commit: nobody can say whether it kept the change."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text

from crm.errors import CommitUncertainError
from crm.extensions import db
from tests.kit.app import listening
from tests.services.shop import Shop


@pytest.fixture
def cut_off(shop: Shop) -> Iterator[None]:
    """PostgreSQL ends each connection that is about to commit a change."""
    with shop.backend.app.app_context():
        engine = db.engine
        if engine.dialect.name != "postgresql":
            pytest.skip("SQLite has no connection that breaks")

    def end(connection: Connection) -> None:
        if connection.get_execution_options().get("begin") != "IMMEDIATE":
            return
        process = connection.scalar(text("SELECT pg_backend_pid()"))
        with engine.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:process, 5000)"), {"process": process})

    with listening(engine, "commit", end):
        yield


def test_who_asked_for_it_is_told_to_look_before_it_is_repeated(
    shop: Shop, request: pytest.FixtureRequest
) -> None:
    customer_id = shop.customer()
    request.getfixturevalue("cut_off")
    with pytest.raises(CommitUncertainError, match="Idempotency-Key"):
        shop.send(customer_id)
