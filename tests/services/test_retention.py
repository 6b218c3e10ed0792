"""RETENTION_DAYS: old messages go with all that tells their text, and nothing else goes."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from crm import clock
from crm.models import CounterName, Event, Message, ParkedAck
from crm.services import inbox, receipts, retention
from tests.services.shop import PHONE, Shop

DAYS = 30
OTHER_PHONE = "60111111111"


@pytest.fixture(autouse=True)
def kept_for_days(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(shop.backend.app.config, "RETENTION_DAYS", DAYS)


def days_ago(days: float) -> datetime:
    return clock.now() - timedelta(days=days)


def receive(shop: Shop, text: str, *, days: float = 0, phone: str = PHONE) -> Message:
    """What a customer wrote so many days ago; 0: now."""
    inbound = inbox.Inbound(phone=phone, lid=None, content=text, timestamp=days_ago(days))
    return shop.do(inbox.receive_message, inbound, request_id=None)[0]


def send(shop: Shop, customer_id: int, text: str, *, days: float, **columns: Any) -> int:
    message_id = shop.send(customer_id, text)
    moment = days_ago(days)
    shop.change(message_id, timestamp=moment, queued_at=moment, **columns)
    return message_id


def prune(shop: Shop) -> int:
    return shop.do(retention.prune_messages)


def told(shop: Shop) -> str:
    return "".join(event.data for event in shop.all(Event))


def test_old_messages_go_and_young_ones_stay(shop: Shop) -> None:
    customer_id = receive(shop, "Old secret", days=DAYS + 1).customer_id
    sent = send(shop, customer_id, "Old answer", days=DAYS + 0.1, dispatch="mapped")
    young = receive(shop, "Young", days=DAYS - 0.1)
    other = receive(shop, "Other secret", days=400, phone=OTHER_PHONE)
    assert prune(shop) == 3
    assert [message.id for message in shop.all(Message)] == [young.id]
    assert shop.customer_row(customer_id).last_message == "Young"
    assert shop.customer_row(other.customer_id).phone == OTHER_PHONE
    assert "secret" not in told(shop) and "Old answer" not in told(shop)
    assert shop.told(sent) == []
    assert prune(shop) == 0


def test_for_ever_is_the_default(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(shop.backend.app.config, "RETENTION_DAYS", 0)
    receive(shop, "Old", days=4000)
    before = shop.backend.counts()
    assert prune(shop) == 0
    assert shop.backend.counts() == before


@pytest.mark.parametrize("dispatch", ["queued", "sending", "accepted"])
def test_what_may_still_go_out_is_never_touched(shop: Shop, dispatch: str) -> None:
    message_id = send(shop, shop.customer(), "Waits", days=400, dispatch=dispatch)
    before = shop.backend.counts()
    assert prune(shop) == 0
    assert shop.backend.counts() == before
    assert shop.row(message_id).content == "Waits"


@pytest.mark.parametrize("dispatch", ["failed", "unknown", "cancelled", "mapped"])
def test_what_will_not_go_out_by_itself_goes(shop: Shop, dispatch: str) -> None:
    send(shop, shop.customer(), "Done with", days=400, dispatch=dispatch)
    assert prune(shop) == 1


def test_the_failure_of_an_old_message_that_was_tried_again_is_seen(shop: Shop) -> None:
    message_id = send(shop, shop.customer(), "Again", days=400, dispatch="failed")
    shop.change(message_id, queued_at=days_ago(1))
    assert prune(shop) == 0


def test_a_customer_shows_what_is_left(shop: Shop) -> None:
    row = receive(shop, "First", days=DAYS + 2)
    receive(shop, "Second", days=3)
    late = receive(shop, "Came late", days=DAYS + 1)
    assert shop.customer_row(row.customer_id).last_message == "Came late"
    assert shop.customer_row(row.customer_id).unread_count == 3
    before = shop.customer_row(row.customer_id).last_timestamp
    assert prune(shop) == 2
    customer = shop.customer_row(row.customer_id)
    assert (customer.last_message, customer.unread_count) == ("Second", 1)
    assert customer.last_timestamp == customer.active_at == before
    assert "Came late" not in told(shop)
    assert "messages_read" not in shop.backend.event_types(), "one is still unread"
    assert late.id not in {m.id for m in shop.all(Message)}
    shop.do(inbox.mark_read, row.customer_id, up_to=None)
    assert shop.customer_row(row.customer_id).unread_count == 0


def test_a_customer_of_whom_no_message_is_left_is_as_one_that_never_wrote(shop: Shop) -> None:
    row = receive(shop, "Only", days=DAYS + 2)
    assert prune(shop) == 1
    customer = shop.customer_row(row.customer_id)
    assert (customer.last_message, customer.last_timestamp) == (None, None)
    assert (customer.unread_count, customer.active_at) == (0, customer.created_at)
    read, newest = shop.backend.events()[-2:]
    assert (read["type"], read["up_to"]) == ("messages_read", row.id)
    assert newest["type"] == "customer_updated"
    for event in (read, newest):
        assert (event["customer"]["last_message"], event["customer"]["unread_count"]) == (None, 0)


def test_a_newer_message_with_the_same_text_keeps_its_event(shop: Shop) -> None:
    receive(shop, "ok", days=DAYS + 2)
    young = receive(shop, "ok")
    assert prune(shop) == 1
    received = [event for event in shop.backend.events() if event["type"] == "inbound_message"]
    assert [event["message"]["id"] for event in received] == [young.id]
    assert received[0]["customer"]["last_message"] == "ok"


def test_totals_and_parked_acks_stay(shop: Shop) -> None:
    row = receive(shop, "Old", days=DAYS + 2)
    sent = send(shop, row.customer_id, "Old", days=DAYS + 2)
    shop.do(receipts.map_message, sent, "wa-1")
    shop.do(receipts.record_ack, "wa-2", 3)
    assert prune(shop) == 2
    assert shop.count(CounterName.MESSAGES_SENT) == shop.count(CounterName.MESSAGES_RECEIVED) == 1
    assert [ack.whatsapp_id for ack in shop.all(ParkedAck)] == ["wa-2"]


def test_many_go_in_batches(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    monkeypatch.setattr(retention, "MAX_PAUSE", 0)
    for number in range(10):
        receive(shop, f"Old {number}", days=DAYS + 2, phone=f"6012345678{number % 4}")
    waiting = send(shop, shop.customer("60199999999"), "Waits", days=400)
    assert prune(shop) == 10
    assert [message.id for message in shop.all(Message)] == [waiting]
    assert "Old" not in told(shop)
