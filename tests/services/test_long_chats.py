"""What sending costs does not grow with the chat: open messages are found by their own index.

Seen to fail with the states of `turns._open` bound instead of written into the SQL: SQLite then
reads whole chats. In a soak of 20,000 messages one sweep took 3 s, under the write lock.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from crm.extensions import db
from tests.services.shop import Shop

INDEX = "ix_messages_open"


@contextmanager
def statements(shop: Shop) -> Iterator[list[tuple[str, Any]]]:
    """All that the database is asked meanwhile."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: object) -> None:
        asked.append((statement, parameters))

    with shop.backend.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


def is_sqlite(shop: Shop) -> bool:
    with shop.backend.app.app_context():
        return db.engine.dialect.name == "sqlite"


def plan(shop: Shop, statement: str, parameters: Any) -> str:
    with shop.backend.app.app_context(), db.engine.connect() as connection:
        # What SQLite chooses is told for any table; PostgreSQL scans small ones whatever they have.
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        return "\n".join(row[3] for row in rows)


def test_open_messages_are_looked_for_among_the_open_ones(shop: Shop) -> None:
    with statements(shop) as asked:
        first = shop.send_new()
        shop.send(shop.row(first).customer_id)
        shop.sweep()
        shop.deliver(first)
    looks = [each for each in asked if "IN ('queued', 'sending')" in each[0]]
    assert not [statement for statement, _ in asked if "dispatch IN (?" in statement]
    assert len(looks) >= 4  # send, sweep, claim, and whose turn is next
    if is_sqlite(shop):
        for statement, parameters in looks:
            assert INDEX in plan(shop, statement, parameters), statement
