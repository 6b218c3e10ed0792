"""What a request costs, in what does not vary from run to run: statements, rows, bytes, events.

On SQLite also the steps of its virtual machine, which say whether a cost grows with the database.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import TextClause, func, insert, select, text

from crm import clock
from crm.api.unchanged import unchanged
from crm.extensions import db
from crm.models import Customer, Direction, Message
from crm.services import delivery
from tests.kit.app import Backend
from tests.kit.costs import STEPS, counted
from tests.kit.fixtures import Make


def is_postgresql(backend: Backend) -> bool:
    with backend.app.app_context():
        return bool(db.engine.dialect.name == "postgresql")


def add_customers(backend: Backend, count: int) -> None:
    """Straight into the table, and active before everybody else."""
    moment = clock.now()
    with backend.session() as session:
        first = (session.scalar(select(func.max(Customer.id))) or 0) + 1
        rows = [
            {
                "name": f"Customer {number}",
                "phone": f"6013{number:08}",
                "phone_key": f"6013{number:08}",
                "status": "new",
                "extra_fields": {},
                "unread_count": 0,
                "active_at": moment,
                "created_at": moment,
                "updated_at": moment,
            }
            for number in range(first, first + count)
        ]
        session.execute(insert(Customer), rows)


def add_messages(backend: Backend, customer_id: int, count: int) -> None:
    """Straight into the table, inbound."""
    row = {
        "customer_id": customer_id,
        "direction": Direction.INBOUND,
        "content": "Hello",
        "timestamp": clock.now(),
        "ack": 3,
        "attempts": 0,
    }
    with backend.session() as session:
        session.execute(insert(Message), [row] * count)


def _as_is(statement: str) -> TextClause:
    """With the colons in its texts, which are no names."""
    return text(statement.replace(":", r"\:"))


@dataclass(slots=True)
class Scene:
    """A short list, a chat longer than a page, and one message that WhatsApp has."""

    backend: Backend
    client: FlaskClient
    customer_id: int
    other_id: int
    message_id: int
    etag: str
    cursor: str
    """Of the second page of two."""

    def page(self) -> Any:
        return self.client.get("/customers/summary?limit=50")

    def next_page(self) -> Any:
        return self.client.get(f"/customers/summary?limit=2&cursor={self.cursor}")

    def found_page(self) -> Any:
        return self.client.get("/customers/summary?limit=2&search=gan&status=new")

    def unread_page(self) -> Any:
        return self.client.get("/customers/summary?limit=1&order=unread")

    def whole_list(self) -> Any:
        return self.client.get("/customers/?status=new")

    def unchanged_page(self) -> Any:
        return self.client.get("/customers/summary?limit=2")

    def unchanged_list(self) -> Any:
        return self.client.get("/customers/summary")

    def not_modified(self) -> Any:
        return self.client.get("/customers/summary", headers={"If-None-Match": self.etag})

    def chat(self) -> Any:
        return self.client.get(f"/messages/{self.customer_id}?limit=200")

    def send(self) -> Any:
        body = {"customer_id": self.other_id, "content": "Hello"}
        return self.client.post("/messages/send", json=body)

    def send_once(self) -> Any:
        body = {"customer_id": self.other_id, "content": "Hello", "client_message_id": "a"}
        return self.client.post("/messages/send", json=body)

    def inbox(self) -> Any:
        return self._inbox("60123456789", f"3EB0{uuid4().hex}")

    def inbox_repeated(self) -> Any:
        return self._inbox("60123456789", "3EB01")

    def inbox_of_a_stranger(self) -> Any:
        return self._inbox("60123456780", "3EB0B")

    def map(self) -> Any:
        body = {"backend_id": self.message_id, "whatsapp_id": "3EB0C"}
        return self.client.post("/messages/map", json=body)

    def ack(self) -> Any:
        return self.client.post("/messages/ack", json={"message_id": "3EB02", "ack": 2})

    def ack_repeated(self) -> Any:
        return self.client.post("/messages/ack", json={"message_id": "3EB02", "ack": 1})

    def mark_read(self) -> Any:
        return self.client.post(f"/messages/{self.customer_id}/mark_read", json={})

    def delivery(self) -> None:
        with self.backend.app.app_context():
            [done] = delivery.deliver_messages([self.message_id])
            assert done.outcome == "accepted"

    def _inbox(self, phone: str, whatsapp_id: str) -> Any:
        body = {"phone": phone, "content": "Hello", "whatsapp_id": whatsapp_id}
        return self.client.post("/messages/inbox", json=body)


@pytest.fixture
def scene(
    backend: Backend, client: FlaskClient, make_customer: Make, send: Make, receive: Make
) -> Scene:
    backend.gateway.answers["/send"] = (202, {"status": "accepted", "message": "queued"})
    customers = [make_customer(phone=f"6012345678{n}") for n in (9, 8, 7, 6)]
    for number in range(3):
        receive(phone="60123456789", whatsapp_id=f"3EB0{number}")
    message, mapped = send(customers[2]["id"]), send(customers[3]["id"])
    body = {"backend_id": mapped["id"], "whatsapp_id": "3EB02"}
    assert client.post("/messages/map", json=body).status_code == 200
    link = client.get("/customers/summary?limit=2").headers["Link"]
    cursor = link.partition("cursor=")[2].partition(">")[0]
    etag = client.get("/customers/summary").headers["ETag"]
    ids = (customers[0]["id"], customers[1]["id"], message["id"])
    return Scene(backend, client, *ids, etag, cursor)


COSTS: list[tuple[Callable[[Scene], Any], int, int, int]] = [
    (Scene.page, 2, 1, 0),
    (Scene.next_page, 2, 1, 0),
    (Scene.found_page, 3, 2, 0),
    (Scene.unread_page, 4, 3, 0),
    (Scene.whole_list, 2, 1, 0),
    (Scene.unchanged_page, 1, 0, 0),
    (Scene.unchanged_list, 1, 0, 0),
    (Scene.not_modified, 1, 0, 0),
    (Scene.chat, 2, 1, 0),
    (Scene.send, 5, 6, 1),
    (Scene.send_once, 6, 7, 1),
    (Scene.inbox, 6, 7, 1),
    (Scene.inbox_repeated, 2, 2, 0),
    (Scene.inbox_of_a_stranger, 8, 8, 2),
    (Scene.map, 9, 11, 1),
    (Scene.ack, 5, 6, 1),
    (Scene.ack_repeated, 1, 2, 0),
    (Scene.mark_read, 5, 6, 1),
    (Scene.delivery, 10, 14, 2),
]
"""What is done, the most statements on SQLite and on PostgreSQL, and the event rows it writes."""


@pytest.mark.parametrize(
    ("do", "on_sqlite", "on_postgresql", "events"), COSTS, ids=[row[0].__name__ for row in COSTS]
)
def test_no_request_asks_the_database_more_often_than_it_has_to(
    scene: Scene,
    do: Callable[[Scene], Any],
    on_sqlite: int,
    on_postgresql: int,
    events: int,
) -> None:
    before = len(scene.backend.events())
    with counted(scene.backend) as cost:
        answer = do(scene)
    assert answer is None or answer.status_code in {200, 201, 304}, answer.text
    most = on_sqlite if cost.dialect == "sqlite" else on_postgresql
    assert min(1, most) <= len(cost.statements) <= most, cost.statements
    assert len(scene.backend.events()) - before == events


def test_an_unchanged_list_is_answered_without_a_body(scene: Scene) -> None:
    answer = scene.not_modified()
    assert (answer.status_code, answer.data) == (304, b"")


def test_a_page_carries_its_rows_and_nothing_of_the_others(backend: Backend, scene: Scene) -> None:
    add_customers(backend, 300)
    page, whole = scene.page().data, scene.client.get("/customers/").data
    assert page.count(b'"phone"') == 50
    assert whole.count(b'"phone"') == 304
    assert len(page) < 50 * 250


@pytest.mark.parametrize(
    "do",
    [Scene.page, Scene.next_page, Scene.unread_page, Scene.chat, Scene.whole_list],
    ids=lambda do: do.__name__,
)
def test_a_list_is_one_row_however_long_it_is(
    backend: Backend, scene: Scene, do: Callable[[Scene], Any]
) -> None:
    if is_postgresql(backend):
        pytest.skip("only SQLite tells its statements with their values")
    add_customers(backend, 300)
    add_messages(backend, scene.customer_id, 250)
    unchanged.forget()
    with counted(backend) as cost:
        assert do(scene).get_json()
    with backend.session() as session:
        rows = [len(session.execute(_as_is(asked)).all()) for asked in cost.statements]
    assert rows == [1] * len(cost.statements)


@pytest.mark.parametrize(
    "do",
    [
        Scene.page,
        Scene.next_page,
        Scene.unread_page,
        Scene.chat,
        Scene.not_modified,
        Scene.send,
        Scene.inbox,
    ],
    ids=lambda do: do.__name__,
)
def test_a_request_takes_as_many_steps_on_a_large_database(
    backend: Backend, scene: Scene, do: Callable[[Scene], Any]
) -> None:
    if is_postgresql(backend):
        pytest.skip("only SQLite tells its steps")
    add_customers(backend, 100)
    add_messages(backend, scene.customer_id, 250)
    unchanged.forget()
    with counted(backend) as small:
        do(scene)
    add_customers(backend, 5_000)
    add_messages(backend, scene.customer_id, 5_000)
    unchanged.forget()  # these rows came without an event
    with counted(backend) as large:
        do(scene)
    assert len(large.statements) == len(small.statements)
    assert 0 < large.steps <= 1.3 * small.steps + 5 * STEPS
