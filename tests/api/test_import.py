"""POST /customers/import: what a file makes of customers, and what of it is refused."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from crm.models import Customer, Event
from crm.schemas import customer_rows
from crm.schemas.customer_rows import MAX_FILE
from tests.api.test_export import import_file
from tests.kit.app import Backend
from tests.kit.fixtures import PHONE, Make

IMPORT = "/customers/import"


def refusal(client: FlaskClient, data: bytes | str, content_type: str = "text/csv") -> str:
    """The sentence of a 422."""
    answer = client.post(IMPORT, data=data, content_type=content_type)
    assert answer.status_code == 422, answer.text
    detail: str = answer.get_json()["detail"]
    return detail


def error_of(client: FlaskClient, row: str, header: str = "name,phone,lid,extra_fields") -> Any:
    """What is wrong with the second line of a file."""
    report = import_file(client, f"{header}\n{row}\n")
    (error,) = report["errors"]
    assert error["line"] == 2 and error["detail"]
    return error


def test_new_known_and_equal_rows_are_told_apart_and_told_to_browsers(
    client: FlaskClient, backend: Backend, make_customer: Make
) -> None:
    known, equal = make_customer(name="Old"), make_customer(name="Same")
    rows = [f"New,{PHONE},won", f"Changed,{known['phone']},", f"Same,{equal['phone']},new"]
    text = "\n".join(["Name,PHONE,status", *rows])
    report = import_file(client, text)
    assert report == {"created": 1, "updated": 1, "unchanged": 1, "errors": [], "dry_run": False}
    types = [(event["type"], event["customer"]["name"]) for event in backend.events()[2:]]
    assert types == [("new_customer", "New"), ("customer_updated", "Changed")]
    rows = {row["name"]: row for row in client.get("/customers/").get_json()}
    assert (rows["New"]["phone"], rows["New"]["status"]) == (PHONE, "won")
    assert (rows["Changed"]["id"], rows["Changed"]["status"]) == (known["id"], "new")
    again = import_file(client, text)
    assert again == {"created": 0, "updated": 0, "unchanged": 3, "errors": [], "dry_run": False}
    assert len(backend.published) == len(backend.events())


def test_a_dry_run_tells_the_same_and_changes_nothing(
    client: FlaskClient, backend: Backend, make_customer: Make
) -> None:
    known = make_customer(name="Old")["phone"]
    text = (
        f"name,phone\nNew,{PHONE}\nNewer,+{PHONE}\nNewer,{PHONE}\nB,{known}\nB,{known}\n,1\nx,99\n"
    )
    before, listed = backend.counts(), client.get("/customers/").data
    foreseen = import_file(client, text, "?dry_run=true")
    assert (backend.counts(), client.get("/customers/").data) == (before, listed)
    done = import_file(client, text, "?dry_run=false")
    assert foreseen == done | {"dry_run": True}
    assert (done["created"], done["updated"], done["unchanged"]) == (1, 2, 2)
    assert [error["line"] for error in done["errors"]] == [7, 7, 8]
    assert len(client.get("/customers/").get_json()) == 2


def test_a_dry_run_remembers_earlier_batches(client: FlaskClient) -> None:
    rows = "".join(f"Name {n},6012{n % 150:07}\n" for n in range(300))
    foreseen = import_file(client, f"name,phone\n{rows}", "?dry_run=1")
    done = import_file(client, f"name,phone\n{rows}")
    assert foreseen == done | {"dry_run": True}
    assert (done["created"], done["updated"]) == (150, 150)


@pytest.mark.parametrize(
    ("stored", "written"),
    [("5511987654321", "551187654321"), ("551187654321", "+55 11 98765-4321"),
     ("5215512345678", "525512345678"), ("5491123456789", "541123456789"), (PHONE, f"'{PHONE}"),
     (PHONE, f"{PHONE}@c.us"), (PHONE, f" ({PHONE[:2]}) {PHONE[2:]} "), (PHONE, f"'+{PHONE}")],
)  # fmt: skip
def test_a_phone_finds_its_customer_however_it_is_written(
    client: FlaskClient, make_customer: Make, stored: str, written: str
) -> None:
    make_customer(phone=stored, name="Old")
    assert import_file(client, f"name,phone\nNew,{written}\n")["updated"] == 1
    (row,) = client.get("/customers/").get_json()
    assert (row["name"], row["phone"]) == ("New", stored)


@pytest.mark.parametrize("header", ["phone,lid", "lid,phone"])
def test_a_lid_finds_its_customer_too_and_a_phone_is_learned(
    client: FlaskClient, receive: Make, header: str
) -> None:
    receive(phone="", lid="123", name="Old")
    for written in ("lid,name\n123,New\n", "phone,name\n123@lid,Newer\n"):
        assert import_file(client, written)["updated"] == 1
    cells = {"phone": PHONE, "lid": "123"}
    row = ",".join(cells[name] for name in header.split(","))
    assert import_file(client, f"{header}\n{row}\n")["updated"] == 1
    assert import_file(client, f"phone,name\n{PHONE},Newer\n")["unchanged"] == 1
    assert error_of(client, "x,60111111111,123,{}")["field"] == "lid"
    (customer,) = client.get("/customers/").get_json()
    assert (customer["name"], customer["phone"], customer["lid"]) == ("Newer", PHONE, "123")


def test_bad_rows_are_told_and_the_others_are_imported(client: FlaskClient) -> None:
    text = (
        "name,phone,extra_fields\n"
        f"Good,{PHONE},{{}}\n"
        "\n"
        f'"two\nlines",not a phone,{{}}\n'
        "No phone,,{}\n"
        f'Bad JSON,60111111111,"[1]"\n'
        "short row\n"
        "Good too,60122222222,,,\n"
    )
    report = import_file(client, text)
    assert (report["created"], report["unchanged"]) == (2, 0)
    told = [(error["line"], error["field"]) for error in report["errors"]]
    assert told == [(4, "phone"), (6, "phone"), (7, "extra_fields"), (8, None)]


@pytest.mark.parametrize("damaged", ["6.01E+10", "6,01e+10", "6E10", "60123456789.0",
    "60123456789,00", "'6.01E+10"])  # fmt: skip
@pytest.mark.parametrize("field", ["phone", "lid"])
def test_what_a_spreadsheet_rounded_is_refused_with_the_reason(
    client: FlaskClient, damaged: str, field: str
) -> None:
    error = error_of(client, f'x,"{damaged}"', f"name,{field}")
    assert error["field"] == field
    assert "spreadsheet" in error["detail"]
    assert client.get("/customers/").get_json() == []


@pytest.mark.parametrize(
    ("row", "field"),
    [(f",{PHONE},,", "name"), (f"{'x' * 121},{PHONE},,", "name"), (f"  ,{PHONE},,", "name"),
     ("x,12,,", "phone"), ("x,99999999,,", "phone"), ("x,,12x,", "lid"), ("x,,,", "phone"),
     (f"x,{PHONE},,[1]", "extra_fields"), (f"x,{PHONE},,{{", "extra_fields"),
     (f'x,{PHONE},,"{{""a"":NaN}}"', "extra_fields"), (f"x,{PHONE},,{'[' * 5000}", "extra_fields"),
     (f'x,{PHONE},,"{{""a"":""\\ud800""}}"', "extra_fields"), (f"a\0b,{PHONE},,", "name")],
)  # fmt: skip
def test_a_bad_cell_is_named(client: FlaskClient, row: str, field: str) -> None:
    assert error_of(client, row)["field"] == field


def test_a_new_customer_needs_a_name_and_a_known_one_does_not(
    client: FlaskClient, make_customer: Make
) -> None:
    assert error_of(client, f"{PHONE},won", "phone,status")["field"] == "name"
    make_customer(phone=PHONE)
    assert import_file(client, f"phone,status\n{PHONE},won\n")["updated"] == 1


def test_what_has_no_column_stays_and_an_empty_remark_is_none(
    client: FlaskClient, make_customer: Make
) -> None:
    path = f"/customers/{make_customer(phone=PHONE)['id']}"
    client.patch(path, json={"remark": "VIP", "extra_fields": {"a": 1}})
    import_file(client, f"phone;status;id;whatever\n{PHONE};won;7;x\n")
    row = client.get(path).get_json()
    assert (row["remark"], row["extra_fields"], row["status"]) == ("VIP", {"a": 1}, "won")
    import_file(client, f"phone;remark\n{PHONE};\n")
    assert client.get(path).get_json()["remark"] is None


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=ascii)
@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["no mark", "mark"])
def test_both_delimiters_every_line_end_and_the_mark_are_read(
    client: FlaskClient, end: str, delimiter: str, mark: str
) -> None:
    lines = [delimiter.join(cells) for cells in (("name", "phone"), ('"a,b;c"', PHONE), ("", ""))]
    import_file(client, mark + end.join(lines))
    (row,) = client.get("/customers/").get_json()
    assert (row["name"], row["phone"]) == ("a,b;c", PHONE)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-16-le", "cp1252"])
def test_another_encoding_is_a_clear_422(client: FlaskClient, encoding: str) -> None:
    text = f"name,phone\nJürgen,{PHONE}\n"
    assert "UTF-8" in refusal(client, text.encode(encoding))
    assert "UTF-8" in refusal(client, text.encode(), f"text/csv; charset={encoding}")
    assert client.get("/customers/").get_json() == []


@pytest.mark.parametrize("body", ["", "\n\n", "name\nx\n", f"{PHONE}\n", f'phone\n"{PHONE}\n',
    f'phone\n"{PHONE}"x\n', f"phone,phone\n{PHONE},{PHONE}\n"])  # fmt: skip
def test_what_is_no_such_file_is_a_422(client: FlaskClient, backend: Backend, body: str) -> None:
    before = backend.counts()
    assert refusal(client, body)
    assert backend.counts() == before


@pytest.mark.parametrize(
    "content_type", ["application/json", "multipart/form-data", "text/plain", ""]
)
def test_another_content_type_is_a_422(client: FlaskClient, content_type: str) -> None:
    assert "text/csv" in refusal(client, f"name,phone\nx,{PHONE}\n", content_type)


def test_a_file_too_large_or_too_long_is_refused_whole(
    client: FlaskClient, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = backend.counts()
    large = b"name,phone\n" + b"x" * MAX_FILE
    assert client.post(IMPORT, data=large, content_type="text/csv").status_code == 413
    rows = f"name,phone\nx,{PHONE}\n" + "x,60111111111\n" * 20_000
    assert "20000 rows" in refusal(client, rows)
    monkeypatch.setattr(customer_rows, "MAX_ROWS", 2)
    assert import_file(client, "name,phone\na,60111111111\nb,60122222222\n", "?dry_run=1")
    assert backend.counts() == before


@pytest.mark.parametrize("wish", ["yes", "2", "", "True;", "null"])
def test_a_wish_that_is_no_truth_value_is_a_422(client: FlaskClient, wish: str) -> None:
    """Rather than to import for real what somebody only wanted to try."""
    answer = client.post(f"{IMPORT}?dry_run={wish}", data="phone\n1", content_type="text/csv")
    assert answer.status_code == 422


def test_texts_are_kept_as_they_are(client: FlaskClient, backend: Backend) -> None:
    text = "<script>alert('x')</script> '; DROP TABLE customers; --"
    assert import_file(client, f'name,phone,remark\n"{text}",{PHONE},"{text}"\n')["created"] == 1
    (row,) = client.get("/customers/").get_json()
    assert (row["name"], row["remark"]) == (text, text)
    with backend.session() as session:
        assert session.query(Customer).one().remark == text
        assert session.query(Event).count() == 1
