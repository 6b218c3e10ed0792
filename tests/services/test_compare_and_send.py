"""Compare-and-send: nothing goes out to a chat that went on behind the writer's back."""

from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select

from crm.errors import IdempotencyKeyReusedError, NewerMessagesError
from crm.extensions import db
from crm.models import Message
from crm.services import messages, retries
from crm.services.messages import NEWER_SHOWN, Draft
from tests.kit.app import listening
from tests.services.shop import Shop


def answer(
    customer_id: int, seen: int | None, *, text: str = "Hi", key: str | None = None
) -> tuple[Message, bool]:
    return messages.send_message(
        Draft(customer_id=customer_id, content=text),
        idempotency_key=key,
        request_id=None,
        last_seen_id=seen,
    )


def refusal(shop: Shop, *args: Any, **named: Any) -> dict[str, Any]:
    """What comes with the refusal; nothing may have been stored."""
    before = shop.backend.counts()
    with pytest.raises(NewerMessagesError) as refused:
        shop.do(answer, *args, **named)
    assert shop.backend.counts() == before
    return refused.value.more


def test_what_was_seen_last_is_still_the_last(shop: Shop) -> None:
    customer_id = shop.receive().customer_id
    newest = shop.receive().id
    shop.receive(phone="60111111111")  # another chat counts for nothing
    message, is_new = shop.do(answer, customer_id, newest)
    assert is_new
    assert shop.delivery_jobs() == [message.id]


@pytest.mark.parametrize("direction", ["the customer wrote", "a colleague answered"])
def test_a_newer_message_of_either_side_stops_it_and_comes_along(
    shop: Shop, direction: str
) -> None:
    seen = shop.receive()
    if direction == "the customer wrote":
        newer = shop.receive().id
    else:
        newer = shop.send(seen.customer_id)
    more = refusal(shop, seen.customer_id, seen.id)
    assert [message["id"] for message in more["newer"]] == [newer]
    assert more["newer_count"] == 1
    assert shop.do(answer, seen.customer_id, newer)[1]


def test_a_cancelled_message_is_nobodys_answer(shop: Shop) -> None:
    seen = shop.receive()
    shop.do(retries.cancel_message, shop.send(seen.customer_id))
    assert shop.do(answer, seen.customer_id, seen.id)[1]


def test_an_empty_chat_has_nothing_newer_than_nothing(shop: Shop) -> None:
    customer_id = shop.customer()
    first, _ = shop.do(answer, customer_id, 0)
    more = refusal(shop, customer_id, 0)
    assert [message["id"] for message in more["newer"]] == [first.id]


def test_of_many_newer_messages_the_newest_come_oldest_first(shop: Shop) -> None:
    sent = [shop.receive() for _ in range(NEWER_SHOWN + 3)]
    ids = [message.id for message in sent]
    more = refusal(shop, sent[0].customer_id, 0)
    assert [message["id"] for message in more["newer"]] == ids[3:]
    assert more["newer_count"] == NEWER_SHOWN + 3
    more = refusal(shop, sent[0].customer_id, ids[2])
    assert (len(more["newer"]), more["newer_count"]) == (NEWER_SHOWN, NEWER_SHOWN)


def test_a_repeated_key_is_the_earlier_message_whatever_was_seen(shop: Shop) -> None:
    customer_id = shop.customer()
    first, _ = shop.do(answer, customer_id, 0, key="k")
    shop.receive()
    for seen in (0, None, first.id):
        again, is_new = shop.do(answer, customer_id, seen, key="k")
        assert (again.id, is_new) == (first.id, False)
    with pytest.raises(IdempotencyKeyReusedError):
        shop.do(answer, customer_id, 0, text="Other", key="k")


@pytest.mark.parametrize("anyway", ["without a check", "having seen it"])
def test_a_refused_key_may_be_used_again(shop: Shop, anyway: str) -> None:
    seen = shop.receive()
    newer = shop.receive()
    refusal(shop, seen.customer_id, seen.id, key="k")
    second = None if anyway == "without a check" else newer.id
    message, is_new = shop.do(answer, seen.customer_id, second, key="k")
    assert (is_new, message.idempotency_key) == (True, "k")


def test_of_two_who_answer_at_once_one_is_stopped(shop: Shop) -> None:
    """Seen to fail in a copy that looks before it locks the customer."""
    seen = shop.receive()

    last = seen.id

    def try_to_answer() -> tuple[int, str]:
        try:
            return answer(seen.customer_id, last)[0].id, "sent"
        except NewerMessagesError as refused:
            return refused.more["newer"][-1]["id"], "stopped"

    for _ in range(8):
        results = shop.at_once([try_to_answer, try_to_answer])
        assert sorted(what for _, what in results) == ["sent", "stopped"]
        assert len({message_id for message_id, _ in results}) == 1
        last = results[0][0]


def test_a_double_click_is_one_message_and_no_refusal(shop: Shop) -> None:
    """The second waits for the lock and then finds a newer message: the first, its twin."""
    last = shop.receive()
    for turn in range(8):
        click = partial(answer, last.customer_id, last.id, key=f"click {turn}")
        results = shop.at_once([click, click])
        assert len({message.id for message, _ in results}) == 1
        assert sorted(is_new for _, is_new in results) == [False, True]
        last = results[0][0]


def test_a_send_that_asks_nothing_pays_nothing(shop: Shop) -> None:
    customer_id = shop.customer()

    def statements(seen: int | None) -> int:
        counted: list[str] = []
        with shop.backend.app.app_context():
            engine = db.engine
            newest = db.session.scalar(select(func.max(Message.id)))
        with listening(engine, "before_cursor_execute", lambda *a: counted.append(a[2])):
            shop.do(answer, customer_id, seen and newest)
        return len(counted)

    shop.send(customer_id)
    plain, checked = statements(None), statements(1)
    assert checked == plain + 1
