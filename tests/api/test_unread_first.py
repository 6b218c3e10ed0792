"""The list with the unread first: in order, page by page, while rows move, and at any length."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, text, update

from crm.extensions import db
from crm.models import Customer, Message
from crm.services import retention
from tests.kit.app import Backend, listening
from tests.kit.fixtures import Make

PATH = "/customers/summary?order=unread"
START = datetime(2026, 1, 1)
MANY = 6_000


def next_address(answer: Any) -> str:
    return answer.headers.get("Link", "").partition(">")[0].removeprefix("<")


def rows_of(client: FlaskClient, address: str) -> list[dict[str, Any]]:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def ids(rows: list[dict[str, Any]]) -> list[int]:
    return [row["id"] for row in rows]


@pytest.fixture
def chats(make_customer: Make, receive: Make, client: FlaskClient) -> list[int]:
    """Six customers who wrote in this order; the 2nd, 4th and 6th were read since."""
    made = [make_customer() for _ in range(6)]
    for number, customer in enumerate(made):
        receive(phone=customer["phone"])
        if number % 2:
            client.post(f"/messages/{customer['id']}/mark_read", json={})
    return [customer["id"] for customer in made]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 6, 500])
def test_unread_come_first_and_each_half_by_newest_activity(
    client: FlaskClient, chats: list[int], limit: int
) -> None:
    expected = [chats[number] for number in (4, 2, 0, 5, 3, 1)]
    assert ids(rows_of(client, PATH)) == expected
    found, address = [], f"{PATH}&limit={limit}"
    while address:
        answer = client.get(address)
        assert answer.headers["X-Stream-Cursor"]
        found += ids(answer.get_json())
        address = next_address(answer)
    assert found == expected


def test_newest_is_the_order_where_none_is_named(client: FlaskClient, chats: list[int]) -> None:
    newest = rows_of(client, "/customers/summary")
    assert ids(newest) == list(reversed(chats))
    assert rows_of(client, "/customers/summary?order=newest") == newest
    assert client.get("/customers/summary?order=oldest").status_code == 422


def test_search_and_status_go_with_it(client: FlaskClient, chats: list[int]) -> None:
    for number in (0, 1, 2):
        client.patch(f"/customers/{chats[number]}", json={"status": "won"})
    address = f"{PATH}&status=won&search=MK&limit=2"
    first = client.get(address)
    assert ids(first.get_json()) == [chats[2], chats[0]]
    assert ids(rows_of(client, next_address(first))) == [chats[1]]


Move = Callable[[FlaskClient, list[int]], Any]


def read(number: int) -> Move:
    return lambda client, chats: client.post(f"/messages/{chats[number]}/mark_read", json={})


def write(number: int) -> Move:
    def as_customer(client: FlaskClient, chats: list[int]) -> Any:
        phone = client.get(f"/customers/{chats[number]}").get_json()["phone"]
        return client.post("/messages/inbox", json={"phone": phone, "content": "Again"})

    return as_customer


@pytest.mark.parametrize(
    ("move", "rest"),
    [
        (read(4), [2, 0, 5, 3, 1]),  # shown on the first page, and now in the other half
        (read(2), [0, 5, 3, 1]),  # not shown yet: it comes as an event
        (read(0), [2, 5, 3, 1]),
        (write(3), [2, 0, 5, 1]),
        (write(4), [2, 0, 5, 3, 1]),
        (lambda client, chats: client.delete(f"/customers/{chats[2]}"), [0, 5, 3, 1]),
    ],
    ids=["first read", "second read", "third read", "read one writes", "first writes", "erased"],
)
@pytest.mark.parametrize("limit", [1, 2, 500])
def test_a_row_that_moves_is_shown_once_and_hides_no_other(
    client: FlaskClient, chats: list[int], move: Move, rest: list[int], limit: int
) -> None:
    answer = client.get(f"{PATH}&limit=1")
    assert ids(answer.get_json()) == [chats[4]]
    assert move(client, chats).status_code < 300
    address, found = next_address(answer).replace("limit=1", f"limit={limit}"), []
    while address:
        answer = client.get(address)
        found += ids(answer.get_json())
        address = next_address(answer)
    assert found == [chats[number] for number in rest]


def test_a_row_is_not_shown_again_when_what_was_unread_is_erased(
    client: FlaskClient, backend: Backend, chats: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = client.get(f"{PATH}&limit=1")
    assert ids(first.get_json()) == [chats[4]]
    monkeypatch.setitem(backend.app.config, "RETENTION_DAYS", 30)
    with backend.session() as session:
        of_first = Message.customer_id == chats[4]
        session.execute(update(Message).where(of_first).values(timestamp=START))
        session.commit()
        assert retention.prune_messages() == 1
    address = next_address(first).replace("limit=1", "limit=500")
    assert ids(rows_of(client, address)) == [chats[number] for number in (2, 0, 5, 3, 1)]


@pytest.mark.parametrize(("number", "limit"), [(4, 1), (4, 500), (2, 3), (0, 500)])
def test_who_is_read_while_the_first_page_is_made_is_on_some_page(
    client: FlaskClient, backend: Backend, chats: list[int], number: int, limit: int
) -> None:
    """Seen to fail: the version was read before it happened, and the rows after it."""
    with backend.app.app_context():
        engine = db.engine
    others: list[Any] = []

    def meanwhile(*event: Any) -> None:
        if "FROM customers" in event[2] and not others:
            others.append(None)
            with ThreadPoolExecutor(1) as pool:  # a thread of its own, as another agent has
                others[0] = pool.submit(read(number), backend.client(), chats).result(20)

    with listening(engine, "before_cursor_execute", meanwhile):
        answer = client.get(f"{PATH}&limit={limit}")
    assert others[0].status_code == 200
    found = ids(answer.get_json())
    while address := next_address(answer):
        answer = client.get(address)
        found += ids(answer.get_json())
    assert found == [chats[number] for number in (4, 2, 0, 5, 3, 1)]


@pytest.fixture
def crowd(backend: Backend) -> None:
    """Thousands of customers: the newer half unread, one in a hundred won."""
    rows = [
        {
            "name": f"Customer {number}",
            "phone": f"6013{number:07}",
            "phone_key": f"6013{number:07}",
            "status": "won" if number % 100 == 0 else "new",
            "extra_fields": {},
            "unread_count": int(number >= MANY // 2),
            "last_message": "x" * 200,
            "last_timestamp": START + timedelta(seconds=number),
            "active_at": START + timedelta(seconds=number),
            "created_at": START,
            "updated_at": START,
        }
        for number in range(MANY)
    ]
    with backend.session() as session:
        session.execute(insert(Customer), rows)
        session.commit()
        session.execute(text("ANALYZE"))


def plans(backend: Backend, ask: Callable[[], Any], table: str) -> list[str]:
    """How the database answers each statement about a table, in its own words."""
    with backend.app.app_context():
        engine = db.engine
    asked: list[tuple[str, Any]] = []

    def note(*event: Any) -> None:
        if f"FROM {table}" in event[2]:
            asked.append((event[2], event[3]))

    with listening(engine, "before_cursor_execute", note):
        ask()
    explain = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
    with engine.connect() as connection:
        return [
            "\n".join(str(row) for row in connection.exec_driver_sql(f"{explain} {said}", given))
            for said, given in asked
        ]


@pytest.mark.parametrize("status", ["", "&status=won", "&status=new"])
def test_no_page_reads_or_sorts_the_table(
    client: FlaskClient, backend: Backend, crowd: None, status: str
) -> None:
    address = f"{PATH}{status}&limit=50"
    for _ in range(5):
        found = plans(backend, partial(client.get, address), "customers")
        assert found
        for plan in found:
            words = plan.casefold()
            assert "ix_customers_" in words, plan
            assert "sort" not in words, plan
            assert "temp b-tree" not in words, plan
            assert "seq scan on customers" not in words, plan
        address = next_address(client.get(address))
        if not address:
            break


def test_each_half_is_read_from_an_index_of_its_own(
    client: FlaskClient, backend: Backend, crowd: None
) -> None:
    def plan_at(number: int) -> str:
        """Of the page that begins after so many pages of 500."""
        address = f"{PATH}&limit=500"
        for _ in range(number):
            address = next_address(client.get(address))
        (plan,) = plans(backend, lambda: client.get(address), "customers")
        return plan

    assert "ix_customers_unread" in plan_at(1)
    assert "ix_customers_read" in plan_at(MANY // 2 // 500 + 1)


def test_active_customers_are_counted_in_indexes(
    client: FlaskClient, backend: Backend, crowd: None, make_customer: Make, receive: Make
) -> None:
    make_customer()
    receive(phone="60129999999")
    found = plans(backend, lambda: client.get("/metrics"), "customers")
    (plan,) = found
    assert "seq scan on customers" not in plan.casefold(), plan
    assert "ix_customers_silent" in plan
    recent = client.get("/metrics").get_json()["active_customers"]
    assert recent == 1
