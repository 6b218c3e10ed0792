"""Claims: one a message, one a customer, in order, and fenced against late results."""

from datetime import timedelta

import pytest

from crm import clock
from crm.errors import MessageNotFoundError
from crm.gateway_errors import GatewayRefusedError, GatewayTemporaryError, GatewayUnreachableError
from crm.models import Message
from crm.services import receipts, settlement
from crm.services.claims import Claim
from tests.services.shop import Shop, accept_one, claim_one, deliver_one

FAULT = GatewayTemporaryError("It broke.", code="500", maybe_written=True)
REFUSAL = GatewayRefusedError("No.", code="422")
AWAY = GatewayUnreachableError("Away.", code="unreachable")


def claimed(shop: Shop, message_id: int) -> Claim:
    claim = shop.do(claim_one, message_id)
    assert claim is not None
    return claim


def lost(shop: Shop, message_id: int) -> Claim:
    """A claim whose lease ran out, and that the sweep took back."""
    claim = claimed(shop, message_id)
    shop.set_back(message_id, "lease_until", 1)
    shop.sweep()
    shop.make_due(message_id)
    return claim


def test_a_claim_takes_the_lease_and_is_told(shop: Shop) -> None:
    message_id = shop.send_new()
    before = clock.now()
    claim = claimed(shop, message_id)
    row = shop.row(message_id)
    assert (row.dispatch, row.claims, claim.number, claim.attempt) == ("sending", 1, 1, 1)
    assert row.lease_until is not None
    assert before + timedelta(seconds=15) <= row.lease_until <= clock.now() + timedelta(seconds=15)
    assert shop.told(message_id)[-1]["status"] == "sending"


def test_ten_workers_at_once_claim_one_message_once(shop: Shop) -> None:
    message_id = shop.send_new()
    taken = shop.at_once([lambda: claim_one(message_id)] * 10)
    assert len([claim for claim in taken if claim]) == 1
    assert shop.row(message_id).claims == 1


def test_ten_jobs_for_one_message_at_once_send_it_once(shop: Shop) -> None:
    message_id = shop.send_new()
    outcomes = shop.at_once([lambda: deliver_one(message_id)] * 10)
    assert outcomes.count("accepted") == 1
    assert len(shop.gateway.sent) == 1


def test_workers_at_once_keep_one_message_of_a_customer_in_flight(shop: Shop) -> None:
    first = shop.send_new()
    rest = [shop.send(shop.row(first).customer_id) for _ in range(5)]
    both = [first, *rest]
    taken = shop.at_once([lambda m=m: claim_one(m) for m in reversed(both)])
    assert [claim.message_id for claim in taken if claim] == [first]


@pytest.mark.parametrize("state", ["queued", "sending"])
def test_a_newer_message_waits_while_an_older_one_is_open(shop: Shop, state: str) -> None:
    older = shop.send_new()
    newer = shop.send(shop.row(older).customer_id)
    later = clock.now() + timedelta(hours=1)
    shop.change(older, dispatch=state, due_at=later, lease_until=later)
    assert shop.deliver(newer) == "not_due"
    assert shop.row(newer).dispatch == "queued"


@pytest.mark.parametrize("state", ["accepted", "unknown", "failed", "cancelled", "mapped"])
def test_a_message_that_is_not_open_holds_nobody_back(shop: Shop, state: str) -> None:
    older = shop.send_new()
    newer = shop.send(shop.row(older).customer_id)
    shop.change(older, dispatch=state)
    assert shop.deliver(newer) == "accepted"


def test_an_older_message_sent_again_waits_for_the_one_in_flight(shop: Shop) -> None:
    older = shop.send_new()
    newer = shop.send(shop.row(older).customer_id)
    shop.change(older, dispatch="failed")
    claimed(shop, newer)
    shop.change(older, dispatch="queued")
    assert shop.do(claim_one, older) is None


def test_other_customers_do_not_wait(shop: Shop) -> None:
    claimed(shop, shop.send_new())
    assert shop.deliver(shop.send(shop.customer("60111111111"))) == "accepted"


@pytest.mark.parametrize(
    "state", ["accepted", "mapped", "unknown", "failed", "cancelled", "sending"]
)
def test_only_a_queued_message_is_claimed(shop: Shop, state: str) -> None:
    message_id = shop.send_new()
    shop.change(message_id, dispatch=state)
    assert shop.do(claim_one, message_id) is None
    assert shop.do(claim_one, 999_999) is None


def test_an_inbound_message_is_never_claimed(shop: Shop) -> None:
    assert shop.do(claim_one, shop.receive("in-1").id) is None


@pytest.mark.parametrize(
    ("settle", "error"),
    [
        (settlement.settle_failure, FAULT),
        (settlement.settle_refusal, REFUSAL),
        (settlement.settle_unreachable, AWAY),
    ],
)
def test_a_bad_result_that_comes_too_late_changes_nothing(
    shop: Shop, settle: object, error: Exception
) -> None:
    message_id = shop.send_new()
    late, now = lost(shop, message_id), claimed(shop, message_id)
    before = columns(shop.row(message_id))
    told = len(shop.told(message_id))
    assert shop.do(settle, late, error) == "settled_elsewhere"  # type: ignore[arg-type]
    assert columns(shop.row(message_id)) == before
    assert len(shop.told(message_id)) == told
    assert shop.do(accept_one, now) == "accepted"


def test_a_late_yes_is_believed_because_it_is_a_fact(shop: Shop) -> None:
    message_id = shop.send_new()
    late, now = lost(shop, message_id), claimed(shop, message_id)
    assert shop.do(accept_one, late) == "accepted"
    assert shop.do(settlement.settle_failure, now, FAULT) == "settled_elsewhere"
    assert shop.do(accept_one, now) == "settled_elsewhere"
    assert shop.row(message_id).dispatch == "accepted"
    assert [state["status"] for state in shop.told(message_id)].count("accepted") == 1


def test_a_yes_to_an_attempt_that_an_agent_replaced_is_not_believed(shop: Shop) -> None:
    message_id = shop.send_new()
    claim = claimed(shop, message_id)
    shop.change(message_id, dispatch="queued", gateway_attempt=2)
    assert shop.do(accept_one, claim) == "settled_elsewhere"
    assert shop.row(message_id).dispatch == "queued"


def test_a_yes_after_the_map_leaves_it_mapped(shop: Shop) -> None:
    message_id = shop.send_new()
    claim = claimed(shop, message_id)
    shop.do(receipts.map_message, message_id, "wa-1")
    for settle in (lambda: accept_one(claim),
                   lambda: settlement.settle_failure(claim, FAULT)):  # fmt: skip
        assert shop.do(settle) == "settled_elsewhere"
    assert [state["status"] for state in shop.told(message_id)] == ["sending", "sent"]


def test_each_end_lets_the_next_message_of_the_customer_go(shop: Shop) -> None:
    first = shop.send_new()
    second = shop.send(shop.row(first).customer_id)
    shop.deliver(first)
    assert shop.delivery_jobs() == [first, second]
    assert shop.deliver(second) == "accepted"


def test_a_message_that_does_not_exist_cannot_be_mapped(shop: Shop) -> None:
    with pytest.raises(MessageNotFoundError):
        shop.do(receipts.map_message, shop.receive("in-1").id, "wa-1")


def columns(row: Message) -> dict[str, object]:
    return {column.name: getattr(row, column.name) for column in Message.__table__.columns}
