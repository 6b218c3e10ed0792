"""SQL in every parameter of every list: it is text or it is refused, and nothing else happens."""

import base64
import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from crm.extensions import Base
from tests.kit.app import Backend
from tests.kit.fixtures import Make

INJECTIONS = [
    "' OR '1'='1", "' OR 1=1 --", '" OR ""="', "') OR ('1'='1", "1 OR 1=1", "0); SELECT 1; --",
    "x'; DROP TABLE customers; --", "1; DELETE FROM messages", "' UNION SELECT id FROM agents --",
    "%' OR name LIKE '%", "_%", "\\' OR 1=1 --", "$1", ":limit", "%(search)s", "?", "NULL",
    "(SELECT 1/0)", "' || pg_sleep(9) || '", "newest, (SELECT 1)",
]  # fmt: skip
TEXTS = ("search", "status")
"""Of customers: any text may stand there, and no customer has one of these."""
NO_LISTS = ("/messages/events/stream", "/auth/setup")


def lists(client: FlaskClient) -> list[tuple[str, list[str]]]:
    """The addresses that have parameters in their query, with the names of these."""
    found = []
    for path, operations in client.get("/openapi.json").get_json()["paths"].items():
        operation = operations.get("get", {})
        names = [each["name"] for each in operation.get("parameters", []) if each["in"] == "query"]
        if names and path not in NO_LISTS:
            found.append((path, names))
    return found


def everything(backend: Backend) -> dict[str, list[Any]]:
    """Every row of every table."""
    with backend.session() as session:
        return {
            table.name: sorted(map(repr, session.execute(select(table)).all()))
            for table in Base.metadata.sorted_tables
            if table.name != "audit_entries"  # an export is noted there
        }


def forged_cursors(injection: str) -> list[str]:
    """What lists give out holds an id, or a time and an id; here one of them is SQL."""
    keys = [[injection], [injection, 1], ["2025-01-01", injection], [2, injection, 1, 1]]
    return [base64.urlsafe_b64encode(json.dumps(key).encode()).decode() for key in keys]


def values_of(name: str, injection: str) -> list[str]:
    return [injection, *(forged_cursors(injection) if name == "cursor" else [])]


@pytest.fixture
def filled(client: FlaskClient, backend: Backend, make_customer: Make, send_as: Make) -> int:
    """Two customers, and a message that failed."""
    make_customer()
    return send_as(dispatch="failed", error="It failed.")["customer_id"]


@pytest.mark.parametrize("injection", INJECTIONS)
def test_sql_in_a_parameter_of_a_list_is_text_or_a_422(
    client: FlaskClient, backend: Backend, filled: int, injection: str
) -> None:
    before = everything(backend)
    assert len(lists(client)) >= 6, "some lists are not looked at"
    for path, names in lists(client):
        usual = {"status": "failed"} if path == "/messages" else {}
        for name in names:
            for value in values_of(name, injection):
                asked = usual | ({"limit": 2} if name == "cursor" else {}) | {name: value}
                answer = client.get(path.format(customer_id=filled), query_string=asked)
                if name in TEXTS and path != "/messages":
                    assert answer.status_code == 200, (path, asked, answer.text)
                    assert row_count(answer.text) == 0, (path, asked)
                else:
                    assert answer.status_code == 422, (path, asked, answer.text)
    assert everything(backend) == before


def row_count(text: str) -> int:
    """Rows of a JSON list, or of a file under its heading."""
    return len(json.loads(text)) if text.startswith("[") else len(text.splitlines()) - 1


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("injection", INJECTIONS)
def test_sql_for_an_event_id_brings_no_event_but_a_reset(
    client: FlaskClient, backend: Backend, injection: str
) -> None:
    before, newest = everything(backend), backend.published[-1][0]
    ways: list[dict[str, Any]] = [
        {"headers": {"Last-Event-ID": injection}},
        {"query_string": {"lastEventId": injection}},
    ]
    for asked in ways:
        stream = client.get("/messages/events/stream", buffered=False, **asked)
        frames = iter(stream.response)
        assert stream.status_code == 200
        assert next(frames).startswith(b"id: %d\n" % newest)
        assert b'"reset"' in next(frames)
        stream.close()
    assert everything(backend) == before
