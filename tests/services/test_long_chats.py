"""What sending costs does not grow with the chat: open messages are found by their own index.

Seen to fail with the states of `turns._open` bound instead of written into the SQL: SQLite then
reads whole chats. In a soak of 20,000 messages one sweep took 3 s, under the write lock.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event

from crm.extensions import db
from crm.services import inbox
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


@contextmanager
def connected(shop: Shop) -> Iterator[Connection]:
    """Whatever is done to the database is taken back."""
    with shop.backend.app.app_context():
        with db.engine.connect() as connection:
            yield connection
        db.engine.dispose()  # a connection would go on with statistics that were taken back


def plan(connection: Connection, statement: str, parameters: Any) -> str:
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
        with connected(shop) as connection:
            for statement, parameters in looks:
                assert INDEX in plan(connection, statement, parameters), statement


def test_they_are_found_as_well_where_an_operator_has_run_analyze(shop: Shop) -> None:
    """Seen to fail with indexes of customer and id alone: SQLite then goes by what it counted.

    A customer has more open and unread messages here than others have messages.
    """
    if not is_sqlite(shop):
        return
    busy = shop.customer()
    first, *_ = [shop.send(busy) for _ in range(30)]
    for number in range(30):
        shop.receive(f"in-{number}")
        shop.change(shop.send(shop.customer(f"6012{number:07}")), dispatch="cancelled")
    with statements(shop) as asked:
        shop.send(busy)
        shop.deliver(first)
        shop.do(inbox.mark_read, busy, up_to=None)
    of_open = [each for each in asked if "IN ('queued', 'sending')" in each[0]]
    of_unread = [each for each in asked if "ack < ?" in each[0]]
    assert len(of_open) >= 3 and len(of_unread) == 1
    with connected(shop) as connection:
        connection.exec_driver_sql("ANALYZE")
        for index, looks in ((INDEX, of_open), ("ix_messages_unread", of_unread)):
            for statement, parameters in looks:
                assert index in plan(connection, statement, parameters), statement


def test_neither_whole_chats_nor_all_that_waits_is_read(shop: Shop) -> None:
    """Of `UPDATE messages`: who is claimed goes by id, whose turn is next by the open ones."""
    if not is_sqlite(shop):
        return
    sent = [shop.send(shop.customer(f"6012{number:07}")) for number in range(6)]
    with statements(shop) as asked:
        shop.deliver_all(sent)
    changes = [each for each in asked if each[0].startswith("UPDATE messages")]
    claims = [each for each in changes if "lease_until=?" in each[0] and "claims=(" in each[0]]
    turns = [each for each in changes if "SET hinted_at=?" in each[0]]
    assert claims and turns
    with connected(shop) as connection:
        for looks, way in ((claims, "INTEGER PRIMARY KEY"), (turns, INDEX)):
            for statement, parameters in looks:
                assert way in plan(connection, statement, parameters).splitlines()[0], statement
