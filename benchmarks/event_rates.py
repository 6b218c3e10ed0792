"""Events at a steady rate, committed and told by a process that is none of the measured ones."""

import sqlite3
import time
from collections.abc import Callable

import orjson
import psycopg
from redis import Redis

from benchmarks.operations import TEXT
from crm import clock
from crm.factory import PREFIX
from crm.hints import sse_message

FIRST = 10_000_000
"""Message ids from here on are nobody's."""
_APPEND = (
    "INSERT INTO events (type, customer_id, data, created_at)"
    " VALUES ('outbound_message', 1, {}, {}) RETURNING id"
)
Append = Callable[[bytes], int]
"""Commits a document as an event; returns the event's id."""


def tell_at(rate: float, *, seconds: float, database_url: str, redis_url: str) -> dict[int, float]:
    """By message id: when its event was committed."""
    append = _appender(database_url)
    committed = {}
    with Redis.from_url(redis_url) as redis:
        began = time.monotonic()
        for number in range(round(rate * seconds)):
            document = _document(FIRST + number)
            time.sleep(max(0.0, began + number / rate - time.monotonic()))
            event_id = append(document)
            committed[FIRST + number] = time.monotonic()
            redis.publish(f"{PREFIX}events", sse_message(event_id, document))
    return committed


def _document(message_id: int) -> bytes:
    """As large as the event of a short message."""
    now = clock.to_wire(clock.now())
    message = {
        "id": message_id, "customer_id": 1, "direction": "outbound", "content": TEXT,
        "timestamp": now, "ack": 1, "whatsapp_id": None, "status": "queued", "error": None,
        "attempts": 0, "media": None, "template": None, "author": None, "client_message_id": None,
    }  # fmt: skip
    customer = {
        "id": 1, "name": "Jonas Weber", "phone": "4915228817386", "lid": None, "photo_url": None,
        "status": "new", "last_message": TEXT, "last_timestamp": now, "unread_count": 0,
        "window_closes_at": None,
    }  # fmt: skip
    event = {"type": "outbound_message", "customer_id": 1, "message": message}
    return orjson.dumps(event | {"customer": customer})


def _appender(database_url: str) -> Append:
    """What a commit costs is not asked here, so none waits for the disk."""
    if database_url.startswith("sqlite"):
        file = sqlite3.connect(database_url.removeprefix("sqlite:///"), isolation_level=None)
        file.execute("PRAGMA synchronous = OFF")
        statement = _APPEND.format("?", "CURRENT_TIMESTAMP")
        return lambda document: int(file.execute(statement, [document.decode()]).fetchone()[0])
    server = psycopg.connect(database_url, autocommit=True)
    server.execute("SET synchronous_commit = off")
    statement = _APPEND.format("%s", "now() AT TIME ZONE 'utc'")

    def append(document: bytes) -> int:
        row = server.execute(statement.encode(), [document.decode()]).fetchone()
        return int(row[0]) if row else 0

    return append
