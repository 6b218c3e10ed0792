"""Migrated databases with a few rows of everything, and their content."""

import dataclasses
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import flask_migrate
from sqlalchemy import Connection, create_engine, delete, insert, select, text

from config.addresses import normalize_database_url
from config.settings import load_settings
from crm.extensions import Base, db
from crm.factory import create_app
from crm.models import Customer, Erasure, Event, Message, ParkedAck
from gateway.store.callbacks import Callback, add_callback
from gateway.store.database import Store
from gateway.store.tables import metadata, sends

NOW = datetime(2026, 11, 1, 12, 30, 15, 123456)


def make_environment(folder: Path, database_url: str | None = None) -> dict[str, str]:
    """Settings of a product that keeps its files here."""
    return {
        "VAR_DIR": str(folder),
        "DATABASE_URL": database_url or f"sqlite:///{folder / 'crm.sqlite3'}",
        "GATEWAY_DATABASE_URL": f"sqlite:///{folder / 'gateway.sqlite3'}",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }


def fill(environment: Mapping[str, str]) -> None:
    """Migrate, and store a few rows of each kind; the highest id of each table is gone again."""
    _migrate(environment)
    engine = create_engine(normalize_database_url(environment["DATABASE_URL"]))
    with engine.begin() as connection:
        for table, rows in _rows().items():
            connection.execute(insert(table), rows)
            if "id" in Base.metadata.tables[table.__tablename__].c:
                # Ids that the database draws, so that its sequence knows them.
                last = [{k: v for k, v in (rows[-1] | UNIQUE.get(table, {})).items() if k != "id"}]
                if engine.dialect.name == "postgresql":
                    _draw_ids_up_to(connection, table, len(rows))
                connection.execute(insert(table), last)
                connection.execute(delete(table).where(table.id > len(rows)))
    engine.dispose()
    store = Store(normalize_database_url(environment["GATEWAY_DATABASE_URL"]))
    store.create_tables()
    with store.transaction() as connection:
        order = {
            "backend_message_id": 2, "attempt": 1, "chat": "60123", "text": "héllo", "priority": 0,
            "state": "queued", "due_at": 1.5, "accepted_at": 1.25, "request_id": "r",
            "template": None,
        }  # fmt: skip
        connection.execute(insert(sends), order)
        notice = Callback(chat="60123", path="/messages/inbox", body={"x": "你"}, request_id="r")
        add_callback(connection, notice, at=2.5)
    store.close()


def read_all(environment: Mapping[str, str]) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of both databases, by table."""
    found = {}
    for variable, tables in (("DATABASE_URL", Base.metadata), ("GATEWAY_DATABASE_URL", metadata)):
        engine = create_engine(normalize_database_url(environment[variable]))
        with engine.connect() as connection:
            for table in tables.sorted_tables:
                rows = connection.execute(select(table))
                found[table.name] = sorted((tuple(row) for row in rows), key=repr)
        engine.dispose()
    return found


def _migrate(environment: Mapping[str, str]) -> None:
    settings = dataclasses.replace(
        load_settings(),
        var_dir=Path(environment["VAR_DIR"]),
        database_url=normalize_database_url(environment["DATABASE_URL"]),
        redis_url=environment["REDIS_URL"],
    )
    app = create_app(settings)
    with app.app_context():
        flask_migrate.upgrade()
        db.session.remove()
        db.engine.dispose()


def _draw_ids_up_to(connection: Connection, table: type[Base], number: int) -> None:
    sequence = f"pg_get_serial_sequence('{table.__tablename__}', 'id')"
    connection.execute(text(f"SELECT setval({sequence}, {number})"))


UNIQUE: dict[type[Base], dict[str, Any]] = {
    Customer: {"phone": "9", "phone_key": "9", "lid": None},
    Message: {"whatsapp_id": "gone", "idempotency_key": "gone"},
}


def _rows() -> dict[type[Base], list[dict[str, Any]]]:
    customer = {
        "name": "Ámbar 'x'", "status": "new", "extra_fields": {"a": [1, None, "你"]},
        "unread_count": 0, "active_at": NOW, "created_at": NOW, "updated_at": NOW, "remark": None,
        "photo_url": None, "last_message": "x", "last_timestamp": None, "window_closes_at": None,
    }  # fmt: skip
    message = {
        "customer_id": 1, "direction": "outbound", "content": "tab\tquote\" 你\n", "ack": 1,
        "timestamp": NOW, "dispatch": "queued", "queued_at": NOW, "due_at": NOW,
        "maybe_written": True, "template": {"name": "hi", "language": "en", "params": ["1"]},
        "media": None, "whatsapp_id": None, "idempotency_key": None,
    }  # fmt: skip
    mapped = {"dispatch": "mapped", "whatsapp_id": "W1", "template": None, "ack": 3}
    return {
        Customer: [
            customer | {"id": 1, "phone": "1", "phone_key": "1", "lid": None},
            customer | {"id": 2, "phone": "", "phone_key": None, "lid": "77"},
        ],
        Message: [
            message | {"id": 1} | mapped,
            message | {"id": 2, "idempotency_key": "k"},
            message | {"id": 3, "customer_id": 2, "direction": "inbound", "dispatch": None},
        ],
        Event: [{"id": n, "type": "x", "data": "{}", "created_at": NOW, "customer_id": None}
                for n in (1, 2)],
        Erasure: [{"id": 1, "address": "5", "due_at": NOW + timedelta(days=1)}],
        ParkedAck: [{"whatsapp_id": "P", "ack": 2, "created_at": NOW}],
    }  # fmt: skip
