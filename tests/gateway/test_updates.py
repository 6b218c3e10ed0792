"""Kept updates: everything they report is recorded once, and the backend is told in order."""

import json
from collections.abc import Callable

import pytest
from sqlalchemy import func, select, text

from gateway.clock import now
from gateway.drivers.base import UnreadableError
from gateway.drivers.events import Event, Failure, Inbound, Receipt, SendId
from gateway.recorder import Recorder
from gateway.store.callbacks import find_pending
from gateway.store.database import Store
from gateway.store.sends import add_send, change_send, find_attempts
from gateway.store.tables import SendState, UpdateState, recorded, update_chats, updates
from gateway.store.updates import count_updates, erase_chat, purge_recorded, purge_updates
from gateway.updates import UpdateReader
from tests.gateway.conftest import PHONE
from tests.kit.waiting import eventually

OTHER = "4915228817386"


def inbound(whatsapp_id: str = "wamid.1", **more: object) -> Inbound:
    fields = {"chat": PHONE, "text": "hi", "name": None, "at": 1.0}
    return Inbound(whatsapp_id=whatsapp_id, **fields | more)


def receipt(ack: int, whatsapp_id: str = "wamid.1", *, ours: int | None = None) -> Receipt:
    send = None if ours is None else SendId(backend_message_id=ours, attempt=1)
    return Receipt(chat=PHONE, whatsapp_id=whatsapp_id, ack=ack, at=2.0, send=send)


def failure(*, ours: int | None = None) -> Failure:
    send = None if ours is None else SendId(backend_message_id=ours, attempt=1)
    fields = {"code": "131049", "reason": "Kept back.", "retryable": True}
    return Failure(chat=PHONE, whatsapp_id="wamid.1", at=2.0, send=send, **fields)


class Book:
    """A driver that reads an update as whatever was written for its name."""

    def __init__(self) -> None:
        self.pages: dict[str, Callable[[], list[Event]]] = {}

    def write(self, raw: str, *events: Event) -> str:
        self.pages[raw] = lambda: list(events)
        return raw

    def tear(self, raw: str, error: Exception) -> str:
        def fail() -> list[Event]:
            raise error

        self.pages[raw] = fail
        return raw

    def read_update(self, raw: str) -> list[Event]:
        return self.pages[raw]()


@pytest.fixture
def book():
    return Book()


@pytest.fixture
def recorder(store, book):
    """A recorder whose updates are read by a thread of its own."""
    reader = UpdateReader(store, book, on_event=lambda: None)
    reader.start()
    yield Recorder(store, on_event=lambda: None, on_state=lambda: None, on_update=reader.wake)
    reader.stop(5)


@pytest.fixture
def look(store):
    """Runs a statement of the store and returns what it finds."""

    def run(find, *args, **kwargs):
        with store.reading() as connection:
            return find(connection, *args, **kwargs)

    return run


@pytest.fixture
def told(look):
    """The callbacks of a chat in order, as (path, body)."""

    def run(chat: str = PHONE) -> list[tuple[str, dict]]:
        pending = look(find_pending, chat, limit=100)
        return [(callback.path, json.loads(callback.body)) for callback in pending]

    return run


@pytest.fixture
def settled(look):
    return lambda: eventually(lambda: look(count_updates)[UpdateState.PENDING] == 0)


@pytest.fixture
def put_send(store, look):
    """Stores a send in the given state and looks it up again."""

    def put(state: SendState, message_id: int = 7, **more: object) -> None:
        row = {"backend_message_id": message_id, "attempt": 1, "chat": PHONE, "text": "hello"}
        row |= {"priority": 0, "due_at": 0.0, "accepted_at": now(), "request_id": "r"}
        with store.transaction() as connection:
            add_send(connection, row)
            send = find_attempts(connection, message_id)[0]
            change_send(connection, send.id, state=state, **more)

    return put


def test_updates_are_read_in_order_and_told_once_whatever_is_repeated(
    recorder, book, told, settled
):
    first = book.write("a", inbound("wamid.1", text="one"), inbound("wamid.2", text="two"))
    again = book.write("b", inbound("wamid.2", text="two"), inbound("wamid.3", text="three"))
    for raw in (first, first, again, first):
        recorder.update(raw)
    settled()
    assert [body["content"] for _, body in told()] == ["one", "two", "three"]


def test_an_unreadable_update_is_kept_counted_and_holds_up_nothing(recorder, book, look, told):
    recorder.update(book.tear("torn", RuntimeError("a bug over secret words")))
    half = UnreadableError("half", events=[inbound("wamid.1")])
    recorder.update(book.tear("half", half))
    recorder.update(book.write("whole", inbound("wamid.2")))
    eventually(lambda: len(told()) == 2)
    assert look(count_updates) == {UpdateState.PENDING: 0, UpdateState.UNREADABLE: 2}


def test_an_event_that_cannot_be_recorded_takes_no_other_with_it(recorder, book, look, told):
    odd = inbound("wamid.2", name=5)
    far_off = inbound("wamid.3", at=1e300)
    recorder.update(book.write("odd", inbound("wamid.1"), odd, far_off, inbound("wamid.4")))
    recorder.update(book.write("whole", inbound("wamid.5")))
    eventually(lambda: len(told()) == 3)
    assert [body["whatsapp_id"] for _, body in told()] == ["wamid.1", "wamid.4", "wamid.5"]
    assert look(count_updates)[UpdateState.UNREADABLE] == 1
    assert look(lambda connection: connection.scalar(select(func.count(recorded.c.key)))) == 3


def test_what_was_not_read_before_a_stop_is_read_after_it(store, book, told, settled):
    keeper = Recorder(store, on_event=lambda: None, on_state=lambda: None, on_update=lambda: None)
    keeper.update(book.write("a", inbound()))
    assert told() == []
    reader = UpdateReader(store, book, on_event=lambda: None)
    reader.start()
    settled()
    reader.stop(5)
    assert len(told()) == 1


def test_an_inbound_message_tells_lid_and_window_where_they_are_known(recorder, told):
    recorder.inbound(inbound(lid="123", window_closes_at=86400.0))
    recorder.inbound(inbound(chat="99@lid"))
    ((_, body),) = told()
    assert (body["phone"], body["lid"]) == (PHONE, "123")
    assert body["window_closes_at"] == "1970-01-02T00:00:00.000000"
    ((_, other),) = told("99@lid")
    assert (other["lid"], "phone" in other, "window_closes_at" in other) == ("99", False, False)


@pytest.mark.parametrize(
    "state", [SendState.SENDING, SendState.UNKNOWN, SendState.QUEUED, SendState.FAILED]
)
def test_a_receipt_with_our_ids_settles_what_was_not_mapped(recorder, put_send, look, told, state):
    put_send(state)
    recorder.receipt(receipt(1, ours=7))
    send = look(find_attempts, 7)[0]
    assert (send.state, send.whatsapp_id, send.text) == (SendState.SENT, "wamid.1", "")
    assert told() == [("/messages/map", {"backend_id": 7, "whatsapp_id": "wamid.1"})]


def test_the_map_is_told_before_the_first_ack(recorder, put_send, told):
    put_send(SendState.UNKNOWN)
    for ack in (3, 1, 2, 4):
        recorder.receipt(receipt(ack, ours=7))
    assert [path for path, _ in told()] == [
        "/messages/map",
        "/webhooks/whatsapp/seen",
        "/messages/ack",
        "/messages/ack",
    ]
    assert [body.get("ack") for _, body in told()] == [None, None, 2, 4]


def test_a_receipt_of_a_send_that_we_do_not_know_is_a_plain_ack(recorder, told):
    recorder.receipt(receipt(1, ours=99))
    recorder.receipt(receipt(3, ours=99))
    assert told() == [("/messages/ack", {"message_id": "wamid.1", "ack": 3})]


def test_a_receipt_under_another_whatsapp_id_does_not_rename_a_sent_message(
    recorder, put_send, look
):
    put_send(SendState.SENT, whatsapp_id="wamid.first")
    recorder.receipt(receipt(2, "wamid.second", ours=7))
    assert look(find_attempts, 7)[0].whatsapp_id == "wamid.first"


@pytest.mark.parametrize("mapped", [True, False])
def test_a_failure_settles_the_send_and_says_whose_it_is(recorder, put_send, look, told, mapped):
    if mapped:
        put_send(SendState.SENT, whatsapp_id="wamid.1")
    else:
        put_send(SendState.UNKNOWN)
    recorder.failure(failure(ours=None if mapped else 7))
    send = look(find_attempts, 7)[0]
    assert (send.state, send.code) == (SendState.FAILED, "131049")
    assert told() == [
        (
            "/messages/failed",
            {
                "backend_id": 7,
                "attempt": 1,
                "code": "131049",
                "reason": "Kept back.",
                "retryable": True,
                "whatsapp_id": "wamid.1",
            },
        )
    ]


def test_sent_says_nothing_of_a_later_failure_but_delivered_overrules_it(recorder, put_send, look):
    put_send(SendState.UNKNOWN)
    recorder.failure(failure(ours=7))
    recorder.receipt(receipt(1, ours=7))
    assert look(find_attempts, 7)[0].state is SendState.FAILED
    recorder.receipt(receipt(2, ours=7))
    assert look(find_attempts, 7)[0].state is SendState.SENT


def test_a_failure_of_a_foreign_message_is_told_to_nobody(recorder, told):
    recorder.failure(failure(ours=99))
    assert told() == []


def test_erasing_a_chat_takes_its_updates_and_what_may_be_about_it(
    store, recorder, book, look, settled
):
    recorder.update(book.write("of one", inbound("wamid.1")))
    recorder.update(book.write("of both", inbound("wamid.2"), inbound("wamid.3", chat=OTHER)))
    recorder.update(book.write("of the other", inbound("wamid.4", chat=OTHER)))
    recorder.update(book.tear(f"torn {PHONE}", RuntimeError()))
    recorder.update(book.tear("torn", RuntimeError()))
    settled()
    with store.transaction() as connection:
        assert erase_chat(connection, PHONE) == 3
    kept = look(lambda connection: list(connection.scalars(select(updates.c.raw))))
    assert kept == ["of the other", "torn"]
    assert look(lambda connection: connection.scalar(select(func.count(update_chats.c.chat)))) == 1


def test_what_was_recorded_is_remembered_without_a_phone(recorder, book, look, settled):
    recorder.update(book.write("a", inbound(f"wamid.{PHONE}")))
    settled()
    (key,) = look(lambda connection: list(connection.scalars(select(recorded.c.key))))
    assert PHONE not in key


def test_old_updates_are_let_go_and_waiting_ones_never(store, look):
    keeper = Recorder(store, on_event=lambda: None, on_state=lambda: None, on_update=lambda: None)
    keeper.update("waiting")
    with store.transaction() as connection:
        connection.execute(
            text("INSERT INTO updates (raw, state, received_at) VALUES ('old', 'done', 1)")
        )
        connection.execute(text("INSERT INTO recorded (key, recorded_at) VALUES ('k', 1)"))
        purge_updates(connection, received_before=now() + 1)
        purge_recorded(connection, recorded_before=2)
    kept = look(lambda connection: list(connection.scalars(select(updates.c.raw))))
    assert kept == ["waiting"]
    assert look(lambda connection: connection.scalar(select(func.count(recorded.c.key)))) == 0


def test_a_store_of_an_earlier_version_gets_the_new_column(settings):
    old = Store(settings.gateway_database_url)
    old.create_tables()
    with old.transaction() as connection:
        connection.execute(text("ALTER TABLE sends DROP COLUMN template"))
    old.close()
    new = Store(settings.gateway_database_url)
    new.create_tables()
    with new.reading() as connection:
        assert find_attempts(connection, 1) == []
    new.close()
