"""/customers/export.csv: harmless in a spreadsheet, and taken back by import byte for byte."""

import csv
import io
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from crm.extensions import db
from crm.models import AuditEntry, Customer
from crm.queries.customer_file import COLUMNS
from tests.kit.app import Backend
from tests.kit.fixtures import PHONE, Make

EXPORT = "/customers/export.csv"
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0", "'=1", "''=1",
            "''''+", "a;=1", "a;'=1", "a\n=1", "a\t-1", "a\r\n@x", ';"=1', "=", "-", "＝1", "＋1",
            "a;－1", "＠x"]  # fmt: skip
ODD = ["'", "'a", '"', '""', ",", ";", "a,b;c\td", "line\nbreak", "\r\n", " spaces ", "\ufeff", "é",
       "👨‍👩‍👧‍👦",
       "<script>alert(1)</script>", "1E5", "\u2028", "\x0b\x1c\x85", "#N/A"]  # fmt: skip


def rows_of(data: bytes, delimiter: str = ",") -> list[dict[str, str]]:
    """As a spreadsheet reads it."""
    text = data.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))


def import_file(client: FlaskClient, data: bytes | str, query: str = "") -> Any:
    answer = client.post(f"/customers/import{query}", data=data, content_type="text/csv")
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def test_the_file_has_what_the_list_has(client: FlaskClient, receive: Make) -> None:
    customer_id = receive(name="MK Gan", lid="123", content="Hi")["customer_id"]
    change = {
        "remark": "VIP",
        "extra_fields": {"a": [1, {"b": "ü;x"}]},
        "photo_url": "https://x.y/z",
    }
    customer = client.patch(f"/customers/{customer_id}", json=change).get_json()
    answer = client.get(EXPORT)
    assert answer.status_code == 200
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.data.startswith(b"\xef\xbb\xbfid,name,phone,lid,status,remark,photo_url,")
    (row,) = rows_of(answer.data)
    assert tuple(row) == COLUMNS
    for name in ("name", "phone", "lid", "status", "remark", "photo_url", "created_at"):
        assert row[name] == customer[name]
    assert row["extra_fields"] == '{"a":[1,{"b":"ü\\u003bx"}]}'
    summary = client.get("/customers/summary").get_json()[0]
    assert row["last_timestamp"] == summary["last_timestamp"]


def test_the_name_of_the_file_has_a_date_and_nothing_of_the_request(
    client: FlaskClient, make_customer: Make
) -> None:
    make_customer(name='x"\r\nSet-Cookie: a=b')
    answer = client.get(EXPORT, query_string={"search": 'x"\r\nSet-Cookie: a=b'})
    said = answer.headers["Content-Disposition"]
    assert said.startswith('attachment; filename="customers-20') and len(said) == 47
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert len(rows_of(answer.data)) == 1


def test_an_export_takes_the_filters_of_the_list(client: FlaskClient, make_customer: Make) -> None:
    for name, status in (("Anna", "won"), ("Anne", "lost"), ("Bob", "won")):
        make_customer(name=name, status=status)
    for query, names in (
        ("search=ann", ["Anna", "Anne"]),
        ("status=won", ["Anna", "Bob"]),
        ("search=ann&status=won", ["Anna"]),
        ("search=%25", []),
    ):
        rows = rows_of(client.get(f"{EXPORT}?{query}").data)
        assert [row["name"] for row in rows] == names
    assert client.get(f"{EXPORT}?search={'x' * 201}").status_code == 422


def test_head_answers_without_a_body(client: FlaskClient, make_customer: Make) -> None:
    make_customer()
    answer = client.head(EXPORT)
    assert (answer.status_code, answer.data) == (200, b"")


@pytest.mark.parametrize("text", FORMULAS, ids=ascii)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
def test_no_cell_begins_with_a_formula(
    client: FlaskClient, make_customer: Make, text: str, delimiter: str
) -> None:
    """In a spreadsheet whose own delimiter is another one, too."""
    customer = make_customer(name=text, status=text)
    note = {"remark": text, "extra_fields": {text: [text]}}
    assert client.patch(f"/customers/{customer['id']}", json=note).status_code == 200
    lines = client.get(EXPORT).data.decode("utf-8-sig")
    read = csv.reader(io.StringIO(lines, newline=""), delimiter=delimiter)
    cells = [cell for row in read for cell in row]
    assert len(cells) >= 2
    assert [cell for cell in cells if cell.startswith(tuple("=+-@\t\r＝＋－＠"))] == []


def put(backend: Backend, customer_id: int, text: str) -> None:
    """A text in every field that may hold any; names and labels are never blank."""
    label = text if text[:40].strip() else f"x{text}"
    values = {"name": label[:120], "status": label[:40], "remark": text}
    backend.change(Customer, customer_id, **values, extra_fields={text: text})


@pytest.fixture
def customer_id(make_customer: Make) -> int:
    made: int = make_customer(phone=PHONE)["id"]
    return made


TEXTS = st.one_of(
    st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=60),
    st.text(";,\t\r\n'\"=+-@＝＠ a{}\\", max_size=12),
)


def test_what_was_exported_and_imported_is_exported_again_byte_for_byte(
    client: FlaskClient, backend: Backend, customer_id: int
) -> None:
    """Into the customer it came from, and into another of the same phone that had other texts."""

    @settings(
        max_examples=150, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(TEXTS)
    def comes_back(text: str) -> None:
        put(backend, customer_id, text)
        exported = client.get(EXPORT).data
        report = import_file(client, exported)
        assert (report["unchanged"], report["errors"]) == (1, [])
        put(backend, customer_id, "other")
        report = import_file(client, exported)
        assert (report["updated"], report["errors"]) == (1, [])
        assert client.get(EXPORT).data == exported
        assert client.get(f"/customers/{customer_id}").get_json()["extra_fields"] == {text: text}

    for text in (*FORMULAS, *ODD):
        comes_back = example(text)(comes_back)
    comes_back()


def test_a_file_makes_the_same_customers_in_an_empty_database(
    client: FlaskClient, backend: Backend, make_customer: Make
) -> None:
    for text in (*FORMULAS, *[text for text in ODD if text.strip()]):
        customer = make_customer(name=text, status=text)
        client.patch(
            f"/customers/{customer['id']}", json={"remark": text, "extra_fields": {"a": text}}
        )
    exported = client.get(EXPORT).data
    before = client.get("/customers/").get_json()
    backend.forget()
    report = import_file(client, exported)
    assert (report["created"], report["errors"]) == (len(before), [])
    for old, new in zip(before, client.get("/customers/").get_json(), strict=True):
        for name in ("name", "phone", "status", "remark", "extra_fields"):
            assert new[name] == old[name]


def test_a_long_export_is_streamed(client: FlaskClient, backend: Backend, customer_id: int) -> None:
    backend.change(Customer, customer_id, extra_fields={"a": "x" * 5_000_000})
    answer = client.get(EXPORT, buffered=False)
    pieces = list(answer.response)
    assert len(pieces) > 50 and max(map(len, pieces)) <= 64 * 1024
    assert sum(map(len, pieces)) > 5_000_000


def test_exports_and_imports_are_in_the_audit(client: FlaskClient) -> None:
    client.get("/customers/export.csv")
    client.post("/customers/import", data="name,phone\nAnn,60123456789\n", content_type="text/csv")
    with client.application.app_context():
        actions = db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert actions == ["customers_exported", "customers_imported"]
