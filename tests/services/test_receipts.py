"""Maps, acks and reads: whatever their order, the maximum stays and each fact is told once."""

import random
from collections.abc import Callable
from datetime import timedelta

import pytest

from crm import clock
from crm.errors import MappingConflictError, MessageNotFoundError
from crm.models import CounterName, ParkedAck
from crm.services import event_log, receipts
from tests.services.shop import Shop

WA = "3EB0E8D9F6C7F7B929B411"


def mapped(shop: Shop) -> int:
    message_id = shop.send_new()
    shop.do(receipts.map_message, message_id, WA)
    return message_id


def seen_events(shop: Shop) -> int:
    return shop.backend.event_types().count("message_seen")


@pytest.mark.parametrize("seed", range(6))
def test_acks_in_any_order_end_at_the_highest_and_never_fall(shop: Shop, seed: int) -> None:
    """Seen to fail in a copy that takes lower acks too: 1, 2, 1, 2, 3, …"""
    message_id = mapped(shop)
    acks = [1, 2, 3, 4] * 3
    random.Random(seed).shuffle(acks)
    for ack in acks:
        shop.do(receipts.record_ack, WA, ack)
    told = [state["ack"] for state in shop.told(message_id)]
    assert told == sorted(set(told))
    assert (shop.row(message_id).ack, shop.row(message_id).status) == (4, "played")
    assert seen_events(shop) == 1


def test_acks_at_once_end_at_the_highest(shop: Shop) -> None:
    """Seen to fail in a copy that takes lower acks too."""
    message_id = mapped(shop)
    shop.at_once([lambda a=ack: receipts.record_ack(WA, a) for ack in [2, 3, 4, 1, 3, 4, 2, 3]])
    told = [state["ack"] for state in shop.told(message_id)]
    assert told == sorted(set(told))
    assert shop.row(message_id).ack == 4
    assert seen_events(shop) == 1


@pytest.mark.parametrize("early", [2, 3, 4])
def test_an_ack_before_its_map_is_parked_and_applied(shop: Shop, early: int) -> None:
    """Seen to fail in a copy that parks no acks: the message stayed at ack 1."""
    message_id = shop.send_new()
    assert shop.do(receipts.record_ack, WA, early) is None
    assert shop.do(receipts.record_ack, WA, 2) is None
    assert [(parked.whatsapp_id, parked.ack) for parked in shop.all(ParkedAck)] == [(WA, early)]
    assert shop.do(receipts.map_message, message_id, WA).ack == early
    assert shop.all(ParkedAck) == []
    assert [state["ack"] for state in shop.told(message_id)] == [1, early]
    assert seen_events(shop) == (early >= 3)


def test_an_ack_and_its_map_at_once_leave_nothing_parked(shop: Shop) -> None:
    customer_id = shop.customer()
    for turn in range(12):
        message_id, whatsapp_id = shop.send(customer_id), f"wa-{turn}"
        calls: list[Callable[[], object]] = [
            lambda m=message_id, w=whatsapp_id: receipts.map_message(m, w),
            lambda w=whatsapp_id: receipts.record_ack(w, 2),
            lambda w=whatsapp_id: receipts.record_ack(w, 3),
        ]
        shop.at_once(calls)
        assert (shop.row(message_id).dispatch, shop.row(message_id).ack) == ("mapped", 3)
    assert shop.all(ParkedAck) == []
    assert seen_events(shop) == 12


def test_a_parked_ack_is_forgotten_after_seven_days(shop: Shop) -> None:
    for whatsapp_id, days in (("old", 7.1), ("young", 6.9)):
        created_at = clock.now() - timedelta(days=days)
        shop.insert(ParkedAck(whatsapp_id=whatsapp_id, ack=2, created_at=created_at))
    shop.do(event_log.prune)
    assert [parked.whatsapp_id for parked in shop.all(ParkedAck)] == ["young"]


def test_the_same_map_again_changes_and_tells_nothing(shop: Shop) -> None:
    message_id = mapped(shop)
    before = shop.backend.counts()
    shop.do(receipts.map_message, message_id, WA)
    assert shop.backend.counts() == before
    assert shop.count(CounterName.MESSAGES_SENT) == 1


def test_a_map_that_contradicts_one_is_refused(shop: Shop) -> None:
    first = mapped(shop)
    other = shop.send(shop.row(first).customer_id)
    before = shop.backend.counts()
    for message_id, whatsapp_id in ((first, "another"), (other, WA)):
        with pytest.raises(MappingConflictError):
            shop.do(receipts.map_message, message_id, whatsapp_id)
    with pytest.raises(MessageNotFoundError):
        shop.do(receipts.map_message, 999_999, "another")
    assert shop.backend.counts() == before
    assert shop.row(other).dispatch == "queued"


def test_two_messages_that_want_one_id_at_once_do_not_both_get_it(shop: Shop) -> None:
    customer_ids = [shop.customer(), shop.customer("60111111111")]
    wanting = [shop.send(customer_id) for customer_id in customer_ids]

    def attempt(message_id: int) -> str:
        try:
            return str(receipts.map_message(message_id, WA).dispatch)
        except MappingConflictError:
            return "conflict"

    assert sorted(shop.at_once([lambda m=m: attempt(m) for m in wanting])) == ["conflict", "mapped"]


@pytest.mark.parametrize(
    "state", ["queued", "sending", "accepted", "failed", "unknown", "cancelled"]
)
def test_a_map_overrules_every_state_because_it_did_go_out(shop: Shop, state: str) -> None:
    message_id = shop.send_new()
    shop.change(message_id, dispatch=state, error="It failed.", error_code="500")
    row = shop.do(receipts.map_message, message_id, WA)
    assert (row.dispatch, row.status, row.error, row.due_at) == ("mapped", "sent", None, None)
    assert shop.told(message_id)[-1]["status"] == "sent"
    assert shop.count(CounterName.MESSAGES_SENT) == 1


@pytest.mark.parametrize("first", ["ack 3", "ack 4", "seen"])
def test_the_first_rise_to_read_is_told_once_by_whichever_door(shop: Shop, first: str) -> None:
    message_id = mapped(shop)

    def see() -> None:
        shop.do(receipts.record_seen, message_id, WA, delay_ms=1200, to="60123456789")

    if first == "seen":
        see()
    else:
        shop.do(receipts.record_ack, WA, int(first[-1]))
    assert seen_events(shop) == 1
    see()
    shop.do(receipts.record_ack, WA, 4)
    assert seen_events(shop) == 1
    row = shop.row(message_id)
    assert (row.seen_delay_ms, row.seen_to) == (1200, "60123456789")


def test_seen_maps_where_needed_and_refuses_another_id(shop: Shop) -> None:
    message_id = shop.send_new()
    seen = shop.do(receipts.record_seen, message_id, WA, delay_ms=None, to=None)
    assert (seen.dispatch, seen.ack, seen.whatsapp_id) == ("mapped", 3, WA)
    with pytest.raises(MappingConflictError):
        shop.do(receipts.record_seen, message_id, "another", delay_ms=None, to=None)


def test_an_ack_of_an_inbound_message_changes_nothing(shop: Shop) -> None:
    received = shop.receive("in-1")
    before = shop.backend.counts()
    answer = shop.do(receipts.record_ack, "in-1", 4)
    assert answer is not None
    assert (answer.id, answer.ack) == (received.id, 2)
    assert shop.backend.counts() == before


def test_an_early_map_lets_the_next_message_of_the_customer_go(shop: Shop) -> None:
    first = shop.send_new()
    second = shop.send(shop.row(first).customer_id)
    shop.do(receipts.map_message, first, WA)
    assert shop.delivery_jobs() == [first, second]
