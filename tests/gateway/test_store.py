"""The store, on SQLite and PostgreSQL alike."""

import threading

import pytest
from sqlalchemy import inspect
from sqlalchemy.exc import DBAPIError, IntegrityError

from config.pace import PaceSettings
from gateway.pace import DAY, Pace
from gateway.store import callbacks, media, sends
from gateway.store.callbacks import Callback, PendingCallback
from gateway.store.database import STORE_AWAY, Store, is_store_away
from gateway.store.facts import Fact, recall, remember
from gateway.store.lanes import find_due_chats
from gateway.store.tables import CallbackState, MediaState, SendState, metadata
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


def test_a_dead_letter_is_not_kept_for_ever(store):
    for at in (10, 20, 20):
        add_callback(store, "a", at=at)
    for callback in pending(store, "a")[:2]:
        with store.transaction() as connection:
            callbacks.bury_callback(connection, callback.id, status=409, error="409 Conflict")
    with store.transaction() as connection:
        callbacks.purge_dead_letters(connection, created_before=20)
        counts = callbacks.count_callbacks(connection)
    assert (counts[CallbackState.DEAD], counts[CallbackState.PENDING]) == (1, 1)


def test_an_error_of_the_database_shows_no_text_and_no_phone(store):
    row = ROW | {"backend_message_id": None}
    with pytest.raises(DBAPIError) as raised, store.transaction() as connection:
        sends.add_send(connection, row)
    assert ROW["text"] not in str(raised.value).split("DETAIL")[0]
    assert ROW["chat"] not in str(raised.value).split("DETAIL")[0]
    assert not is_store_away(raised.value)


def test_a_value_that_cannot_be_stored_is_no_reason_to_try_again(store):
    with pytest.raises(Exception) as raised, store.transaction() as connection:
        sends.add_send(connection, ROW | {"backend_message_id": object()})
    assert not isinstance(raised.value, STORE_AWAY)


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


def test_a_newer_push_takes_the_place_of_the_one_that_waits(store):
    add_callback(store, "a")
    for text in ("old", "new"):
        with store.transaction() as connection:
            push = Callback(chat="", path="/status", body={"text": text}, request_id="r")
            callbacks.replace_callback(connection, push, at=0)
    assert [push.body for push in pending(store, "")] == ['{"text": "new"}']
    assert len(pending(store, "a")) == 1
    with store.reading() as connection:
        assert callbacks.count_callbacks(connection)[CallbackState.PENDING] == 1


def test_the_pace_is_counted_from_what_is_stored(store):
    limits = PaceSettings(chat_gap=5, per_minute=4, fresh_days=1, fresh_per_day=3, quiet_hours=None)
    pace, at = Pace(limits), 10 * DAY
    with store.transaction() as connection:
        for number, age in enumerate((3, 10, 3600), start=1):
            row = ROW | {"backend_message_id": number, "due_at": at - age}
            sends.add_send(connection, row)
            (stored,) = sends.find_attempts(connection, number)
            sends.change_send(connection, stored.id, state=SendState.SENT)
        for number, priority in ((10, 1), (11, 0)):
            row = ROW | {"backend_message_id": number, "chat": "b", "priority": priority}
            sends.add_send(connection, row)
        allowed = pace.look(connection, at)
        assert (allowed.replies.free, allowed.bulk.free) == (0, 0)
        later = pace.look(connection, at + 51)
        assert (later.replies.free, later.bulk.free) == (1, 0)
        assert pace.find_due(connection, at + 51, limit=9, busy=0).chats == ["b"]
        chosen = pace.choose(connection, "b", at + 51)
        assert chosen is not None
        assert chosen.backend_message_id == 11
        assert sends.count_unproved(connection, since=0, until=at) == (3, 1)


def test_a_file_is_settled_once_and_newer_pictures_replace_older(store):
    values = {
        "chat": "a", "kind": "image", "mime": "image/png", "name": None, "size": None,
        "reference": "r", "due_at": 5.0,
    }  # fmt: skip
    with store.transaction() as connection:
        for number, whatsapp_id in ((1, "A"), (2, None), (3, None)):
            row = values | {"id": str(number), "whatsapp_id": whatsapp_id, "created_at": number}
            media.add_media(connection, row)
        look = media.find_due_media(connection, at=4, limit=9)
        assert (look.chats, look.pause) == ([], 1)
        assert len(media.find_due_media(connection, at=5, limit=9).chats) == 3
        assert media.change_pending(connection, "3", state=MediaState.STORED)
        assert not media.change_pending(connection, "3", state=MediaState.FAILED)
        newest = media.find_media(connection, "3")
        assert newest is not None
        assert newest.is_picture
        assert media.remove_other_pictures(connection, newest) == ["2"]
        assert media.find_of_message(connection, "a", "A") is not None
        assert media.change_pending(connection, "1", state=MediaState.STORED)
        assert media.expire_media(connection, before=10, reason="old") == ["1"]
        assert media.find_kept(connection) == {"3"}
        counted = media.count_media(connection)
        assert (counted[MediaState.STORED], counted[MediaState.EXPIRED]) == (1, 1)
        assert sorted(media.erase_chat(connection, "a")) == ["1", "3"]


def test_an_index_that_a_table_of_old_lacks_is_added(store):
    with store.transaction() as connection:
        connection.exec_driver_sql("DROP INDEX ix_sends_departure")
    store.create_tables()
    with store.reading() as connection:
        names = {index["name"] for index in inspect(connection).get_indexes("sends")}
    assert "ix_sends_departure" in names
