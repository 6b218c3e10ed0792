"""Several messages in one job: claimed and settled together, each by its own rules."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from structlog.testing import capture_logs

from crm import clock
from crm.gateway_client import SendOrder
from crm.models import GatewayLink
from crm.services import claims, delivery, handover, settlement
from crm.services.handover import MOST_CALLS, NotBegunError, hand_over
from tests.kit.waiting import eventually
from tests.services.shop import Shop, deliver_all


def send_to_many(shop: Shop, count: int) -> list[int]:
    return [shop.send(shop.customer(f"6012{number:07}")) for number in range(count)]


def states(shop: Shop, message_ids: Sequence[int]) -> list[str]:
    return [str(shop.row(message_id).dispatch) for message_id in message_ids]


def test_each_is_handed_over_told_and_leased_as_if_it_were_alone(shop: Shop) -> None:
    message_ids = send_to_many(shop, 5)
    assert shop.deliver_all(message_ids) == dict.fromkeys(message_ids, "accepted")
    assert sorted(order["backend_message_id"] for order in shop.gateway.sent) == message_ids
    assert len({order["to"] for order in shop.gateway.sent}) == 5
    for message_id in message_ids:
        row = shop.row(message_id)
        assert (row.dispatch, row.claims, row.attempts) == ("accepted", 1, 1)
        assert row.accepted_at is not None and row.due_at == row.accepted_at + timedelta(minutes=2)
        assert row.lease_until is None
        told = shop.told(message_id)
        assert [state["status"] for state in told] == ["sending", "accepted"]
        assert set(told[0]) == {"id", "ack", "status", "whatsapp_id", "error"}


def test_two_messages_of_one_customer_go_one_after_the_other(shop: Shop) -> None:
    first, other = send_to_many(shop, 2)
    second = shop.send(shop.row(first).customer_id)
    outcomes = shop.deliver_all([second, first, other])
    assert outcomes == {second: "not_due", first: "accepted", other: "accepted"}
    assert shop.row(second).claims == 0
    assert shop.delivery_jobs()[-1] == second
    assert shop.deliver_all([second]) == {second: "accepted"}


def test_one_that_comes_twice_or_is_no_message_harms_nobody(shop: Shop) -> None:
    (message_id,) = send_to_many(shop, 1)
    outcomes = shop.do(deliver_all, [message_id, 999_999, message_id])
    assert outcomes == {message_id: "accepted", 999_999: "not_due"}
    assert len(shop.gateway.sent) == 1


def test_each_outcome_of_one_job_keeps_its_own_rule(shop: Shop) -> None:
    answers = {
        "accepted": httpx.Response(202, json={}),
        "will_retry": httpx.Response(429, json={}),
        "failed": httpx.Response(422, json={"detail": "no"}),
        "gateway_away": httpx.ConnectError("refused"),
    }
    message_ids = send_to_many(shop, len(answers))
    shop.gateway.to = dict(zip(message_ids, answers.values(), strict=True))
    outcomes = shop.deliver_all(message_ids)
    assert outcomes == dict(zip(message_ids, answers, strict=True))
    assert states(shop, message_ids) == ["accepted", "queued", "failed", "queued"]
    tries = [shop.row(message_id).attempts for message_id in message_ids]
    assert tries == [1, 1, 1, 0]


def test_a_slow_answer_holds_up_none_of_the_others(shop: Shop) -> None:
    message_ids = send_to_many(shop, 10)
    slow, quick = message_ids[0], message_ids[1:]
    shop.gateway.held[slow] = threading.Event()
    next_id = shop.send(shop.row(quick[0]).customer_id)
    job = threading.Thread(target=shop.deliver_all, args=(message_ids,))
    job.start()
    try:
        eventually(lambda: states(shop, quick) == ["accepted"] * 9, timeout=60)
        assert shop.row(slow).dispatch == "sending"
        assert shop.delivery_jobs()[-1] == next_id
    finally:
        shop.gateway.held[slow].set()
        job.join(60)
    assert shop.row(slow).dispatch == "accepted"


def test_a_gateway_that_stalls_is_called_for_so_many_at_once_and_no_more(shop: Shop) -> None:
    message_ids = send_to_many(shop, MOST_CALLS + 4)
    let_go = threading.Event()
    shop.gateway.held = dict.fromkeys(message_ids, let_go)
    job = threading.Thread(target=shop.deliver_all, args=(message_ids,))
    job.start()
    try:
        eventually(lambda: len(shop.gateway.sent) >= MOST_CALLS, timeout=60)
        time.sleep(0.3)  # enough for one too many
        assert len(shop.gateway.sent) == MOST_CALLS
    finally:
        let_go.set()
        job.join(60)
    assert states(shop, message_ids) == ["accepted"] * len(message_ids)


def test_a_fault_of_ours_with_one_leaves_it_to_its_lease_and_settles_the_others(shop: Shop) -> None:
    message_ids = send_to_many(shop, 4)
    shop.gateway.to[message_ids[1]] = RuntimeError("a fault")
    with pytest.raises(RuntimeError, match="a fault"):
        shop.deliver_all(message_ids)
    assert states(shop, message_ids) == ["accepted", "sending", "accepted", "accepted"]
    shop.set_back(message_ids[1], "lease_until", 1)
    shop.sweep()
    row = shop.row(message_ids[1])
    assert (row.dispatch, row.lost_leases) == ("queued", 1)


def test_each_fault_is_named_with_its_own_messages(shop: Shop) -> None:
    """Seen to name the first fault for all, and to keep the others to itself."""
    message_ids = send_to_many(shop, 3)
    shop.gateway.to = {message_ids[0]: RuntimeError("one"), message_ids[2]: ValueError("other")}
    told: dict[int, str] = {}

    def deliver() -> None:
        for one in delivery.deliver_messages(message_ids):
            told[one.message_id] = one.outcome

    with capture_logs() as lines, pytest.raises((RuntimeError, ValueError)):
        shop.do(deliver)
    assert told == dict(zip(message_ids, ["RuntimeError", "accepted", "ValueError"], strict=True))
    faults = {line["message_ids"][0]: str(line["exc_info"]) for line in lines if "exc_info" in line}
    assert faults == {message_ids[0]: "one", message_ids[2]: "other"}


def test_a_thread_that_is_stopped_in_a_call_is_not_waited_for(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to wait for ever: the pool kept what was no `Exception`, and no answer came."""
    message_ids = send_to_many(shop, 4)

    def send(order: SendOrder, **_: object) -> None:
        if order.backend_message_id == message_ids[1]:
            raise SystemExit

    monkeypatch.setattr(handover.gateway, "send", send)
    raised: list[BaseException] = []

    def run() -> None:
        try:
            shop.deliver_all(message_ids)
        except BaseException as error:
            raised.append(error)

    job = threading.Thread(target=run, daemon=True)
    job.start()
    job.join(60)
    assert [type(error) for error in raised] == [SystemExit]
    assert states(shop, message_ids) == ["accepted", "sending", "accepted", "accepted"]


@pytest.mark.parametrize("threads", [0, 1])
def test_where_no_thread_can_be_started_each_is_called_for_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    """Seen to throw away the answers that had come, and to leave all to their leases."""
    callers = _FewThreads(threads)
    monkeypatch.setattr(handover, "_callers", callers)
    monkeypatch.setattr(handover, "QUICK", 0.0)
    message_ids = send_to_many(shop, 4)
    shop.gateway.held[message_ids[0]] = held = threading.Event()
    threading.Timer(0.2, held.set).start()
    assert shop.deliver_all(message_ids) == dict.fromkeys(message_ids, "accepted")
    assert [order["backend_message_id"] for order in shop.gateway.sent] == message_ids
    assert callers.refusals


@pytest.mark.parametrize("count", [1, 3])
def test_a_call_that_might_outlive_the_lease_is_not_made(shop: Shop, count: int) -> None:
    message_ids = send_to_many(shop, count)
    taken = shop.do(claims.claim_messages, message_ids)
    late = [replace(claim, taken_at=claim.taken_at - 3600) for claim in taken]
    answers = [answer for group in hand_over(late) for answer in group]
    assert [type(error) for _, error in answers] == [NotBegunError] * count
    assert shop.gateway.sent == []
    assert {shop.do(settlement.settle_not_begun, claim) for claim in late} == {"not_begun"}
    for message_id in message_ids:
        row = shop.row(message_id)
        assert (row.dispatch, row.attempts, row.failures, row.lost_leases) == ("queued", 0, 0, 0)
        assert (row.maybe_written, row.lease_until, row.hinted_at) == (False, None, None)
        assert [state["status"] for state in shop.told(message_id)] == ["sending", "queued"]
    assert {shop.do(settlement.settle_not_begun, claim) for claim in late} == {"settled_elsewhere"}


def test_a_call_has_the_time_that_is_left_of_its_claim(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[float] = []
    monkeypatch.setattr(handover.gateway, "send", lambda *_, seconds, **__: given.append(seconds))
    [claim] = shop.do(claims.claim_messages, send_to_many(shop, 1))
    limit = handover.gateway.deadline
    list(hand_over([replace(claim, taken_at=claim.taken_at - limit / 4)]))
    assert limit / 2 <= given[0] <= limit * 3 / 4


def test_behind_an_open_breaker_none_goes_and_behind_a_half_open_one_the_first(shop: Shop) -> None:
    message_ids = send_to_many(shop, 4)
    shop.change(message_ids[0], dispatch="cancelled")
    later = clock.now() + timedelta(minutes=5)
    shop.backend.change(GatewayLink, 1, refusals=3, open_until=later, reason="Away.")
    before = shop.backend.counts()
    assert set(shop.do(deliver_all, message_ids).values()) == {"not_due"}
    assert shop.backend.counts() == before
    past = clock.now() - timedelta(seconds=1)
    shop.backend.change(GatewayLink, 1, open_until=past)
    assert [claim.message_id for claim in shop.do(claims.claim_messages, message_ids)] == [
        message_ids[1]
    ]
    assert shop.do(claims.claim_messages, message_ids) == []
    shop.backend.change(GatewayLink, 1, open_until=past)
    shop.gateway.usual = httpx.Response(503)
    outcomes = shop.do(deliver_all, message_ids)
    assert sorted(outcomes.values()) == ["gateway_away", "not_due", "not_due", "not_due"]
    assert len(shop.gateway.sent) == 1


def test_one_answer_of_a_job_closes_the_breaker(shop: Shop) -> None:
    message_ids = send_to_many(shop, 3)
    shop.backend.change(GatewayLink, 1, refusals=2, reason="Away.")
    shop.deliver_all(message_ids)
    link = shop.link()
    assert (link.refusals, link.open_until, link.reason) == (0, None, None)


def test_jobs_that_share_messages_and_customers_send_each_once(shop: Shop) -> None:
    customer_ids = [shop.customer(f"6012{number:07}") for number in range(6)]
    message_ids = [shop.send(customer_id) for _ in range(3) for customer_id in customer_ids]

    def work(seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(12):
            deliver_all(rng.sample(message_ids, 10))

    shop.at_once([lambda s=seed: work(s) for seed in range(6)])
    shop.do(deliver_all, message_ids)
    shop.do(deliver_all, message_ids)
    sent = [order["backend_message_id"] for order in shop.gateway.sent]
    assert sorted(sent) == message_ids
    for customer_id in customer_ids:
        mine = [each for each in sent if shop.row(each).customer_id == customer_id]
        assert mine == sorted(mine)


def test_a_yes_to_several_is_believed_of_those_attempts_only(shop: Shop) -> None:
    message_ids = send_to_many(shop, 3)
    shop.change(message_ids[1], gateway_attempt=4)
    taken = shop.do(claims.claim_messages, message_ids)
    assert [claim.attempt for claim in taken] == [1, 4, 1]
    shop.change(message_ids[2], gateway_attempt=2)
    assert shop.do(settlement.settle_accepted, taken) == {
        message_ids[0]: "accepted",
        message_ids[1]: "accepted",
        message_ids[2]: "settled_elsewhere",
    }
    assert states(shop, message_ids) == ["accepted", "accepted", "sending"]


class _FewThreads:
    """A pool in a container that may have so many more threads."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.refusals = 0

    def submit(self, work: Callable[[], None]) -> None:
        if not self.left:
            self.refusals += 1
            raise RuntimeError("can't start new thread")
        self.left -= 1
        threading.Thread(target=work).start()
