"""The store, on SQLite and PostgreSQL alike."""

import threading

import pytest
from sqlalchemy.exc import IntegrityError

from gateway.store import callbacks, sends
from gateway.store.callbacks import Callback, PendingCallback
from gateway.store.database import Store
from gateway.store.facts import Fact, recall, remember
from gateway.store.lanes import find_due_chats
from gateway.store.tables import CallbackState, SendState, metadata
from gateway.store.tables import callbacks as callback_table

ROW = {
    "attempt": 1,
    "chat": "60123456789",
    "text": "你好 😀",
    "priority": 0,
    "due_at": 10.0,
    "accepted_at": 10.0,
    "request_id": "r",
}


@pytest.fixture
def store(database_url):
    kept = Store(database_url)
    with kept.transaction() as connection:
        metadata.drop_all(connection)
    kept.create_tables()
    yield kept
    kept.close()


def add_callback(store: Store, chat: str, at: float = 0) -> None:
    with store.transaction() as connection:
        callback = Callback(chat=chat, path="/x", body={"text": "你好 😀"}, request_id="r")
        callbacks.add_callback(connection, callback, at=at)


def pending(store: Store, chat: str) -> list[PendingCallback]:
    with store.reading() as connection:
        return callbacks.find_pending(connection, chat, limit=100)


def due(store: Store, at: float):
    with store.reading() as connection:
        return find_due_chats(
            connection, callback_table, state=CallbackState.PENDING, at=at, limit=10
        )


def test_tables_can_be_made_again(store):
    store.create_tables()


def test_an_attempt_is_stored_once(store):
    message_id = 2**63 - 1
    with store.transaction() as connection:
        sends.add_send(connection, ROW | {"backend_message_id": message_id})
    with pytest.raises(IntegrityError), store.transaction() as connection:
        sends.add_send(connection, ROW | {"backend_message_id": message_id})
    with store.reading() as connection:
        (stored,) = sends.find_attempts(connection, message_id)
    assert (stored.state, stored.text) == (SendState.QUEUED, "你好 😀")


def test_an_error_rolls_everything_back(store):
    with pytest.raises(RuntimeError), store.transaction() as connection:
        sends.add_send(connection, ROW | {"backend_message_id": 1})
        raise RuntimeError
    with store.reading() as connection:
        assert sends.find_attempts(connection, 1) == []


def test_writers_on_many_threads_lose_nothing(store):
    def write() -> None:
        for _ in range(20):
            with store.transaction() as connection:
                known = recall(connection)[Fact.LAST_SENT_AT] or 0
                remember(connection, Fact.LAST_SENT_AT, known + 1)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.reading() as connection:
        assert recall(connection)[Fact.LAST_SENT_AT] == 160


def test_a_chat_is_due_when_its_oldest_callback_is(store):
    add_callback(store, "a", at=50)
    add_callback(store, "b", at=5)
    add_callback(store, "a", at=0)
    look = due(store, at=10)
    assert (look.chats, look.pause) == (["b"], 40)
    look = due(store, at=60)
    assert (look.chats, look.pause) == (["a", "b"], None)


def test_a_dead_callback_holds_nobody(store):
    for _ in range(2):
        add_callback(store, "a")
    first, second = pending(store, "a")
    with store.transaction() as connection:
        callbacks.bury_callback(connection, first.id, status=409, error="409 Conflict")
    assert pending(store, "a") == [second]
    with store.reading() as connection:
        assert callbacks.count_callbacks(connection) == {
            CallbackState.PENDING: 1,
            CallbackState.DEAD: 1,
        }
        (letter,) = callbacks.find_dead_letters(connection, limit=5)
    assert (letter.id, letter.status) == (first.id, 409)


def test_the_id_of_a_delivered_callback_is_never_used_again(store):
    add_callback(store, "a")
    (first,) = pending(store, "a")
    with store.transaction() as connection:
        callbacks.remove_callbacks(connection, [first.id])
    add_callback(store, "a")
    (second,) = pending(store, "a")
    assert second.id > first.id


def test_erasing_a_chat_leaves_the_others(store):
    for message_id, chat in ((1, "a"), (2, "b")):
        with store.transaction() as connection:
            row = ROW | {"backend_message_id": message_id, "chat": chat}
            sends.add_send(connection, row)
        add_callback(store, chat)
    with store.transaction() as connection:
        assert sends.erase_chat(connection, "a", at=1) == 1
        assert callbacks.erase_chat(connection, "a") == 1
        (erased,) = sends.find_attempts(connection, 1)
        (kept,) = sends.find_attempts(connection, 2)
    assert (erased.chat, erased.text, erased.state) == ("", "", SendState.FAILED)
    assert (kept.chat, kept.state) == ("b", SendState.QUEUED)
    assert len(pending(store, "b")) == 1
