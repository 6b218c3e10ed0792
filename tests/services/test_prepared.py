"""Prepared statements say and give what SQLAlchemy would, on both databases."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import IntegrityError

from crm.extensions import db
from crm.models import Customer, Message
from crm.prepared import Prepared, PreparedInsert
from tests.kit.app import listening
from tests.services.shop import Shop

_COLUMNS = Customer.__table__.c
MOMENT = datetime(2025, 9, 23, 14, 5, 43, 40413)
FIND = Prepared(
    select(_COLUMNS.id, _COLUMNS.extra_fields, _COLUMNS.updated_at, _COLUMNS.remark).where(
        _COLUMNS.id == bindparam("customer_id")
    )
)
CHANGE = Prepared(
    update(Customer.__table__)
    .where(_COLUMNS.id == bindparam("customer_id"))
    .values(extra_fields=bindparam("extra_fields"), updated_at=bindparam("updated_at"))
)


def ask(shop: Shop, statement: Prepared, **values: Any) -> Any:
    with shop.backend.app.app_context(), db.engine.begin() as connection:
        return statement.first(connection, values)


def test_values_and_rows_are_changed_as_by_sqlalchemy(shop: Shop) -> None:
    customer_id = shop.customer()
    fields = {"vip": True, "名": ["a", None]}
    changed = {"extra_fields": fields, "updated_at": MOMENT}
    assert ask(shop, CHANGE, customer_id=customer_id, **changed) is None
    row = ask(shop, FIND, customer_id=customer_id)
    assert (row.id, row.extra_fields, row.updated_at, row.remark) == (
        customer_id, fields, MOMENT, None,
    )  # fmt: skip
    kept = shop.customer_row(customer_id)
    assert (kept.extra_fields, kept.updated_at) == (fields, MOMENT)


def test_no_row_is_none(shop: Shop) -> None:
    assert ask(shop, FIND, customer_id=999_999) is None


def test_an_insert_fills_in_what_it_is_not_told_and_passes_over_what_is_no_column(
    shop: Shop,
) -> None:
    customer_id = shop.customer()
    told = {
        "customer_id": customer_id, "direction": "outbound", "content": "你好", "timestamp": MOMENT,
        "ack": 1, "no_column": 1,
    }  # fmt: skip
    with shop.backend.app.app_context(), db.engine.begin() as connection:
        message_id = PreparedInsert(Message).add(connection, told)
    row = shop.row(message_id)
    assert (row.content, row.timestamp, row.gateway_attempt) == ("你好", MOMENT, 1)
    assert (row.maybe_written, row.media, row.priority) == (False, None, 0)


def test_an_insert_leaves_what_is_taken(shop: Shop) -> None:
    told = {
        "customer_id": shop.customer(), "direction": "outbound", "content": "Hello", "ack": 1,
        "timestamp": MOMENT, "idempotency_key": "once",
    }  # fmt: skip
    insert = PreparedInsert(Message, unless_taken="idempotency_key")
    with shop.backend.app.app_context(), db.engine.begin() as connection:
        first = insert.add(connection, told)
        assert insert.try_to_add(connection, told | {"content": "Another"}) is None
        assert insert.try_to_add(connection, told | {"idempotency_key": None})
    assert shop.row(first).content == "Hello"


def test_an_error_of_the_driver_is_sqlalchemys(shop: Shop) -> None:
    shop.customer()
    row = {"name": "A", "phone": "1", "phone_key": "60123456789", "status": "new",
           "extra_fields": {}, "unread_count": 0, "active_at": MOMENT, "created_at": MOMENT,
           "updated_at": MOMENT}  # fmt: skip
    with (
        pytest.raises(IntegrityError, match=r"(?i)unique"),
        shop.backend.app.app_context(),
        db.engine.begin() as connection,
    ):
        PreparedInsert(Customer).add(connection, row)


def test_who_listens_to_sqlalchemy_hears_of_it(shop: Shop) -> None:
    heard: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_: object) -> None:
        heard.append(statement)

    with shop.backend.app.app_context():
        engine = db.engine
    with listening(engine, "before_cursor_execute", hear):
        ask(shop, FIND, customer_id=1)
    assert [statement for statement in heard if "extra_fields" in statement]


def test_a_value_that_was_forgotten_is_no_null(shop: Shop) -> None:
    with pytest.raises(TypeError, match="customer_id"):
        ask(shop, FIND, customer=1)


def test_tools_that_measure_may_leave_notes_until_the_statement_has_run(shop: Shop) -> None:
    seen: list[tuple[str, str]] = []

    def before(
        _connection: Any, _cursor: Any, _sql: str, _given: Any, context: Any, _: bool
    ) -> None:
        context.note = "begun"

    def after(
        _connection: Any, _cursor: Any, _sql: str, _given: Any, context: Any, _: bool
    ) -> None:
        seen.append((context.note, context.statement))

    customer_id = shop.customer()
    with shop.backend.app.app_context():
        engine = db.engine
    with (
        listening(engine, "before_cursor_execute", before),
        listening(engine, "after_cursor_execute", after),
    ):
        ask(shop, FIND, customer_id=customer_id)
    assert [note for note, statement in seen if "extra_fields" in statement] == ["begun"]
