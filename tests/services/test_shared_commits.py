"""Small use cases that wait for each other are committed together, and fail apart."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, update
from sqlalchemy.exc import OperationalError

from crm import transaction as transactions
from crm.errors import (
    CustomerNotFoundError,
    DatabaseBusyError,
    DatabaseUnavailableError,
    NewerMessagesError,
)
from crm.extensions import db
from crm.models import Customer
from crm.services import messages
from crm.services.customers import lock_customer
from crm.services.messages import Draft
from crm.transaction import transaction
from tests.kit.app import listening
from tests.kit.waiting import eventually
from tests.services.shop import Shop


@pytest.fixture(autouse=True)
def only_sqlite(shop: Shop) -> None:
    """PostgreSQL lets many write at once, and gathers their commits itself."""
    with shop.backend.app.app_context():
        if db.engine.dialect.name != "sqlite":
            pytest.skip("on PostgreSQL nobody waits for a turn")


def send(customer_id: int, text: str, **more: Any) -> int:
    draft = Draft(customer_id=customer_id, content=text)
    told = {"idempotency_key": None, "request_id": None} | more
    return messages.send_message(draft, **told)[0].id


@contextmanager
def together(shop: Shop) -> Iterator[Callable[..., "Future[Any]"]]:
    """What is begun inside waits in order, and goes on at the end of the block."""
    gate = transactions._write_gate
    with ThreadPoolExecutor(20) as pool:
        gate.enter(shares=False)

        def begin(use_case: Callable[..., Any], *args: Any, **more: Any) -> "Future[Any]":
            before = len(gate._waiting)
            future = pool.submit(shop.do, use_case, *args, **more)
            eventually(lambda: len(gate._waiting) == before + 1)
            return future

        try:
            yield begin
        finally:
            gate.leave()


@contextmanager
def commits(shop: Shop) -> Iterator[list[None]]:
    seen: list[None] = []
    with shop.backend.app.app_context():
        engine = db.engine
    with listening(engine, "commit", lambda _connection: seen.append(None)):
        yield seen


def test_those_who_wait_share_one_commit_and_are_told_of_in_order(shop: Shop) -> None:
    ids = [shop.customer(f"6011111{number:04}") for number in range(5)]
    before = len(shop.backend.published)
    with commits(shop) as seen, together(shop) as begin:
        sends = [begin(send, customer_id, f"to {customer_id}") for customer_id in ids]
    assert [shop.row(each.result()).customer_id for each in sends] == ids
    assert len(seen) == 1
    told = [event_id for event_id, _ in shop.backend.published[before:]]
    assert told == sorted(told) and len(told) == 5
    assert shop.delivery_jobs() == [each.result() for each in sends]


def test_no_more_than_a_few_wait_for_the_last(shop: Shop) -> None:
    customer_id = shop.customer()
    with commits(shop) as seen, together(shop) as begin:
        sends = [
            begin(send, customer_id, f"{number}")
            for number in range(transactions.MOST_TOGETHER + 1)
        ]
    assert [shop.row(each.result()).content for each in sends] == [
        str(number) for number in range(len(sends))
    ]
    assert len(seen) == 2


def test_one_that_fails_takes_back_its_own_changes_only(shop: Shop) -> None:
    first, second = shop.customer(), shop.customer("60111111111")
    known = shop.send(second, "before")
    before = len(shop.backend.published)
    with commits(shop) as seen, together(shop) as begin:
        good = begin(send, first, "one", idempotency_key="a")
        stale = begin(send, second, "two", last_seen_id=0)
        nobody = begin(send, 999_999, "three")
        last = begin(send, second, "four", last_seen_id=known, idempotency_key="b")
    with pytest.raises(NewerMessagesError):
        stale.result()
    with pytest.raises(CustomerNotFoundError):
        nobody.result()
    assert shop.row(good.result()).content == "one"
    assert shop.row(last.result()).content == "four"
    assert [row.content for row in shop.outbound()] == ["before", "one", "four"]
    assert len(shop.backend.published) == before + 2
    assert len(seen) == 2  # whoever fails has those before it committed


def test_a_repeated_key_among_those_who_share_is_one_message(shop: Shop) -> None:
    customer_id = shop.customer()
    with together(shop) as begin:
        sends = [begin(send, customer_id, "Hi", idempotency_key="k") for _ in range(3)]
    assert len({each.result() for each in sends}) == 1
    assert len(shop.outbound()) == 1


def test_a_commit_that_fails_fails_all_and_tells_nobody(shop: Shop) -> None:
    customer_id = shop.customer()
    before = len(shop.backend.published)

    def refuse(_connection: Any) -> None:
        raise OperationalError("COMMIT", None, Exception("database is locked"))

    with shop.backend.app.app_context():
        engine = db.engine
    event.listen(engine, "commit", refuse)
    try:
        with together(shop) as begin:
            sends = [begin(send, customer_id, "Hi") for _ in range(3)]
        for each in sends:
            with pytest.raises(DatabaseBusyError):
                each.result()
    finally:
        event.remove(engine, "commit", refuse)
    assert shop.outbound() == []
    assert len(shop.backend.published) == before and shop.delivery_jobs() == []
    assert shop.send(customer_id, "and again")  # the gate is free


def test_nobody_is_told_of_success_where_sqlite_took_the_whole_back(shop: Shop) -> None:
    """As it does on a full disk, at whichever statement. Seen in a soak: eight answers, one row."""
    customer_id = shop.customer()

    def meet_a_full_disk() -> None:
        with transaction(shares_commit=True) as tx:
            raw: Any = tx.connection.connection.dbapi_connection
            raw.execute("ROLLBACK")
            raise OperationalError("INSERT", None, Exception("database or disk is full"))

    with together(shop) as begin:
        sends = [begin(send, customer_id, "Hi"), begin(send, customer_id, "Hello")]
        full = begin(meet_a_full_disk)
        later = begin(send, customer_id, "later")
    for each in (*sends, full):
        with pytest.raises(DatabaseUnavailableError):
            each.result()
    assert [row.id for row in shop.outbound()] == [later.result()]


def test_what_takes_long_is_waited_for_by_nobody_who_is_done(shop: Shop) -> None:
    customer_id = shop.customer()

    def work() -> None:
        with transaction():
            pass

    with commits(shop) as seen, together(shop) as begin:
        sent, worked = begin(send, customer_id, "Hi"), begin(work)
    sent.result()
    worked.result()
    assert len(seen) >= 1


@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_that_forgets_takes_back_its_own_changes_only(shop: Shop, place: int) -> None:
    customer_id, other_id = shop.customer(), shop.customer("60111111111")

    def change_and_forget(with_models: bool) -> None:
        with transaction(shares_commit=True) as tx:
            if with_models:
                lock_customer(tx.session, other_id).name = "changed"
                tx.session.flush()
            else:
                tx.connection.execute(update(Customer).values(remark="changed"))
            tx.forget()

    for with_models in (True, False):
        with together(shop) as begin:
            sends = []
            for number in range(3):
                if number == place:
                    begin(change_and_forget, with_models)
                sends.append(begin(send, customer_id, f"{with_models} {number}"))
        texts = [shop.row(each.result()).content for each in sends]
        assert texts == [f"{with_models} {number}" for number in range(3)]
        row = shop.customer_row(other_id)
        assert "changed" not in {row.name, row.remark}


def test_hints_that_cannot_leave_make_no_failure_and_hold_up_nobody(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    customer_id = shop.customer()
    with monkeypatch.context() as patched:
        patched.setattr(transactions.hints, "send", fail)
        with together(shop) as begin:
            sends = [begin(send, customer_id, f"Stored {number}") for number in range(3)]
        stored = [each.result(20) for each in sends]
    assert [row.id for row in shop.outbound()] == stored
    assert shop.do(send, customer_id, "The gate is free") > stored[-1]


def test_what_is_changed_after_all_was_forgotten_is_taken_back_too(shop: Shop) -> None:
    customer_id = shop.customer()

    def forget_and_fail() -> None:
        with transaction(shares_commit=True) as tx:
            tx.forget()
            tx.connection.execute(update(Customer).values(remark="changed"))
            raise CustomerNotFoundError

    with together(shop) as begin:
        sent, failed = begin(send, customer_id, "Before"), begin(forget_and_fail)
    assert shop.row(sent.result(20)).content == "Before"
    assert isinstance(failed.exception(20), CustomerNotFoundError)
    assert shop.customer_row(customer_id).remark != "changed"


def test_nothing_passes_of_one_whose_mark_cannot_be_dropped(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def all(self, *_: object) -> None:
            raise OperationalError("RELEASE", None, Exception("disk I/O error"))

    customer_id = shop.customer()
    with monkeypatch.context() as patched:
        patched.setattr(transactions, "_DROP_MARK", Broken())
        with together(shop) as begin:
            sends = [begin(send, customer_id, "Never") for _ in range(2)]
        errors = [each.exception(20) for each in sends]
    assert [type(error) for error in errors] == [DatabaseUnavailableError] * 2
    assert shop.outbound() == []
