"""The circuit breaker: a gateway that is away costs no message a try."""

from datetime import timedelta

import httpx
import pytest

from crm import clock
from crm.models import GatewayLink
from tests.services.shop import Answer, Shop, claim_one, deliver_one

REFUSED = httpx.ConnectError("refused")


def send_to_many(shop: Shop, count: int) -> list[int]:
    return [shop.send(shop.customer(f"6012{number:07}")) for number in range(count)]


def try_each(shop: Shop, message_ids: list[int]) -> list[str]:
    """One try each, without waiting for the breaker."""
    return [shop.do(deliver_one, message_id) for message_id in message_ids]


def opened(shop: Shop) -> list[int]:
    """Messages to five customers, three of which opened the breaker."""
    shop.gateway.usual = REFUSED
    message_ids = send_to_many(shop, 5)
    try_each(shop, message_ids[:3])
    return message_ids


@pytest.mark.parametrize(
    "away", [REFUSED, httpx.ConnectTimeout("slow"), httpx.Response(503), httpx.ReadTimeout("slow")]
)
def test_three_sends_in_a_row_that_nobody_took_open_it(shop: Shop, away: Answer) -> None:
    """A read time-out counts: a stalled gateway would use up the tries of all at once."""
    shop.gateway.usual = away
    message_ids = send_to_many(shop, 5)
    assert "not_due" not in try_each(shop, message_ids[:3])
    assert try_each(shop, message_ids[3:]) == ["not_due", "not_due"]
    assert len(shop.gateway.sent) == 3
    link = shop.link()
    assert (link.refusals, bool(link.reason)) == (3, True)
    assert link.open_until is not None and link.open_until > clock.now() - timedelta(minutes=1)


def test_an_answer_between_refusals_keeps_it_closed(shop: Shop) -> None:
    taken, no = httpx.Response(202, json={}), httpx.Response(422, json={})
    shop.gateway.answers = [REFUSED, REFUSED, taken, REFUSED, REFUSED, no, REFUSED, REFUSED]
    assert "not_due" not in try_each(shop, send_to_many(shop, 8))
    assert shop.link().open_until is None


def test_one_message_goes_first_when_the_time_has_come(shop: Shop) -> None:
    message_ids = opened(shop)
    shop.backend.change(GatewayLink, 1, open_until=clock.now() - timedelta(seconds=1))
    taken = shop.at_once([lambda m=m: claim_one(m) for m in message_ids[3:]])
    assert len([claim for claim in taken if claim]) == 1
    assert len([m for m in shop.open_messages() if m.dispatch == "sending"]) == 1


def test_a_claim_that_the_breaker_stopped_leaves_no_trace(shop: Shop) -> None:
    waiting = opened(shop)[4]
    before = shop.backend.counts()
    assert shop.do(claim_one, waiting) is None
    row = shop.row(waiting)
    assert (row.dispatch, row.claims, row.lease_until) == ("queued", 0, None)
    assert shop.backend.counts() == before


def test_a_probe_that_fails_keeps_it_open_and_one_that_is_taken_closes_it(shop: Shop) -> None:
    message_ids = opened(shop)
    assert shop.deliver(message_ids[3]) == "gateway_away"
    assert shop.do(deliver_one, message_ids[4]) == "not_due"
    shop.gateway.usual = httpx.Response(202, json={})
    assert shop.deliver(message_ids[3]) == "accepted"
    link = shop.link()
    assert (link.refusals, link.open_until, link.reason) == (0, None, None)
    assert try_each(shop, message_ids[4:]) == ["accepted"]


def test_any_answer_closes_it(shop: Shop) -> None:
    message_ids = opened(shop)
    shop.gateway.usual = httpx.Response(429, json={})
    assert shop.deliver(message_ids[3]) == "will_retry"
    assert shop.link().open_until is None


def test_waiting_messages_say_why_and_no_job_is_sent_meanwhile(shop: Shop) -> None:
    message_ids = opened(shop)
    for message_id in message_ids:
        shop.set_back(message_id, "hinted_at", 60)
    hints = len(shop.delivery_jobs())
    shop.backend.change(GatewayLink, 1, open_until=clock.now() + timedelta(minutes=5))
    shop.sweep()
    assert {bool(shop.row(message_id).error) for message_id in message_ids} == {True}
    assert shop.told(message_ids[4])[-1]["error"] == shop.link().reason
    assert len(shop.delivery_jobs()) == hints
    told = len(shop.told(message_ids[4]))
    shop.sweep()
    assert len(shop.told(message_ids[4])) == told


def test_half_open_the_sweep_sends_one_job_and_closed_all_of_them(shop: Shop) -> None:
    message_ids = opened(shop)
    for message_id in message_ids:
        shop.make_due(message_id)
        shop.set_back(message_id, "hinted_at", 60)
    hints = len(shop.delivery_jobs())
    shop.sweep()
    assert len(shop.delivery_jobs()) == hints + 1
    shop.gateway.usual = httpx.Response(202, json={})
    shop.deliver(shop.delivery_jobs()[-1])
    shop.sweep()
    assert set(shop.delivery_jobs()[hints:]) == set(message_ids)
