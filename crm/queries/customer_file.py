"""Customers as a CSV file that spreadsheets open and that import reads back."""

import csv
import io
from collections.abc import Iterable
from tempfile import SpooledTemporaryFile
from typing import IO, Any

import orjson
from sqlalchemy import JSON, ColumnElement, DateTime, Text, cast, select

from crm.csv_cells import guard, guard_json
from crm.database import begin_snapshot
from crm.extensions import db
from crm.json_sql import wire_time
from crm.models import Customer
from crm.queries.customers import CustomerFilter, conditions
from crm.queries.listing import FETCH, IN_MEMORY

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""Without it spreadsheets take UTF-8 for something older."""
COLUMNS = (
    "id", "name", "phone", "lid", "status", "remark", "photo_url", "created_at", "last_timestamp",
    "extra_fields",
)  # fmt: skip


def write_customers(chosen: CustomerFilter) -> IO[bytes]:
    """The whole file by id, rewound. One snapshot; no transaction is left open for its reader."""
    columns = [_column(getattr(Customer, name)) for name in COLUMNS]
    statement = select(*columns).where(*conditions(chosen)).order_by(Customer.id)
    spool = SpooledTemporaryFile(max_size=IN_MEMORY)
    spool.write(BYTE_ORDER_MARK + _lines([COLUMNS]))
    with begin_snapshot(db.engine) as connection:
        in_parts = statement.execution_options(yield_per=FETCH)
        for partition in connection.execute(in_parts, chosen.values()).partitions():
            spool.write(_lines(_cells(*row) for row in partition))
    spool.seek(0)
    return spool


def _column(column: Any) -> ColumnElement[Any]:
    """Times and JSON as texts: to make Python's own of them would take most of the time."""
    if isinstance(column.type, DateTime):
        return wire_time(column)
    return cast(column, Text) if isinstance(column.type, JSON) else column


def _cells(customer_id: int, *rest: Any) -> list[str]:
    *texts, created_at, last_timestamp, extra_fields = rest
    return [
        str(customer_id),
        *(guard(text) if text else "" for text in texts),
        created_at,
        last_timestamp or "",
        guard_json(orjson.dumps(orjson.loads(extra_fields)).decode()),
    ]


def _lines(rows: Iterable[Iterable[str]]) -> bytes:
    written = io.StringIO(newline="")
    csv.writer(written).writerows(rows)
    return written.getvalue().encode()
