"""An agent's second word: again, all of them again, or not at all."""

import httpx
import pytest

from crm.errors import MessageNotFoundError, MessageStateError
from crm.services import retries
from tests.services.shop import Shop, claim_one


def failed(shop: Shop) -> int:
    shop.gateway.answers = [httpx.Response(422, json={})]
    message_id = shop.send_new()
    assert shop.deliver(message_id) == "failed"
    return message_id


def unknown(shop: Shop) -> int:
    shop.gateway.answers = [httpx.Response(500)] * 4
    message_id = shop.send_new()
    for _ in range(4):
        shop.deliver(message_id)
    assert shop.row(message_id).dispatch == "unknown"
    return message_id


def test_a_failed_message_goes_again_with_a_raised_attempt(shop: Shop) -> None:
    message_id = failed(shop)
    row = shop.do(retries.retry_message, message_id, confirm=False)
    assert (row.dispatch, row.gateway_attempt, row.failures, row.error) == ("queued", 2, 0, None)
    assert shop.told(message_id)[-1]["status"] == "queued"
    assert shop.delivery_jobs()[-1] == message_id
    assert shop.deliver(message_id) == "accepted"
    assert [sent["attempt"] for sent in shop.gateway.sent] == [1, 2]
    assert shop.row(message_id).attempts == 2


def test_an_unknown_message_is_looked_up_before_it_is_sent_again(shop: Shop) -> None:
    message_id = unknown(shop)
    shop.gateway.about[message_id] = httpx.Response(
        200, json={"state": "sent", "whatsapp_id": "wa-1"}
    )
    row = shop.do(retries.retry_message, message_id, confirm=True)
    assert (row.dispatch, row.whatsapp_id, row.gateway_attempt) == ("mapped", "wa-1", 1)
    assert len(shop.gateway.sent) == 4


def test_an_unknown_message_that_nobody_knows_of_wants_confirm(shop: Shop) -> None:
    message_id = unknown(shop)
    with pytest.raises(MessageStateError, match="confirm"):
        shop.do(retries.retry_message, message_id, confirm=False)
    assert shop.row(message_id).dispatch == "unknown"
    row = shop.do(retries.retry_message, message_id, confirm=True)
    assert (row.dispatch, row.gateway_attempt) == ("queued", 2)


def test_an_unknown_message_that_the_gateway_calls_failed_needs_no_confirm(shop: Shop) -> None:
    message_id = unknown(shop)
    shop.gateway.about[message_id] = httpx.Response(200, json={"state": "failed", "code": "x"})
    row = shop.do(retries.retry_message, message_id, confirm=False)
    assert (row.dispatch, row.gateway_attempt, row.maybe_written) == ("queued", 2, False)


@pytest.mark.parametrize("state", ["queued", "sending", "accepted", "mapped", "cancelled"])
def test_any_other_state_cannot_be_sent_again(shop: Shop, state: str) -> None:
    message_id = shop.send_new()
    shop.change(message_id, dispatch=state)
    before = shop.backend.counts()
    with pytest.raises(MessageStateError):
        shop.do(retries.retry_message, message_id, confirm=True)
    assert shop.backend.counts() == before
    with pytest.raises(MessageNotFoundError):
        shop.do(retries.retry_message, 999_999, confirm=True)


def test_two_agents_at_once_send_it_again_once(shop: Shop) -> None:
    message_id = failed(shop)

    def attempt() -> bool:
        try:
            return retries.retry_message(message_id, confirm=False).gateway_attempt == 2
        except MessageStateError:
            return False

    assert sorted(shop.at_once([attempt] * 2)) == [False, True]
    assert shop.row(message_id).gateway_attempt == 2


def test_all_failed_ones_go_again_and_unknown_ones_do_not(shop: Shop) -> None:
    ids = [shop.send(shop.customer(f"6012{n:07}")) for n in range(5)]
    for message_id, state in zip(ids, ["failed", "unknown", "failed", "accepted", "failed"],
                                 strict=True):  # fmt: skip
        shop.change(message_id, dispatch=state)
    assert shop.do(retries.retry_failed) == 3
    assert [shop.row(message_id).gateway_attempt for message_id in ids] == [2, 1, 2, 1, 2]
    assert shop.do(retries.retry_failed) == 0


def test_all_failed_ones_are_more_than_one_batch(shop: Shop) -> None:
    customer_id = shop.customer()
    ids = [shop.send(customer_id) for _ in range(7)]
    for message_id in ids:
        shop.change(message_id, dispatch="failed")
    with pytest.MonkeyPatch.context() as smaller:
        smaller.setattr(retries, "BATCH", 3)
        assert shop.do(retries.retry_failed) == 7
    assert {shop.row(message_id).dispatch for message_id in ids} == {"queued"}


def test_a_waiting_message_can_be_taken_back(shop: Shop) -> None:
    message_id = shop.send_new()
    assert shop.do(retries.cancel_message, message_id).dispatch == "cancelled"
    assert shop.told(message_id)[-1]["status"] == "cancelled"
    before = shop.backend.counts()
    assert shop.do(retries.cancel_message, message_id).dispatch == "cancelled"
    assert shop.backend.counts() == before
    assert shop.deliver(message_id) == "not_due"
    assert shop.gateway.sent == []


def test_taking_one_back_lets_the_next_go(shop: Shop) -> None:
    first = shop.send_new()
    second = shop.send(shop.row(first).customer_id)
    shop.do(retries.cancel_message, first)
    assert shop.delivery_jobs()[-1] == second
    assert shop.deliver(second) == "accepted"


@pytest.mark.parametrize("state", ["sending", "accepted", "mapped", "failed", "unknown"])
def test_what_somebody_has_begun_to_send_cannot_be_taken_back(shop: Shop, state: str) -> None:
    message_id = shop.send_new()
    shop.change(message_id, dispatch=state)
    with pytest.raises(MessageStateError):
        shop.do(retries.cancel_message, message_id)
    assert shop.row(message_id).dispatch == state


def test_what_may_have_gone_out_cannot_be_taken_back(shop: Shop) -> None:
    shop.gateway.answers = [httpx.ReadTimeout("slow")]
    message_id = shop.send_new()
    assert shop.deliver(message_id) == "will_retry"
    with pytest.raises(MessageStateError, match="may have gone out"):
        shop.do(retries.cancel_message, message_id)
    assert shop.row(message_id).dispatch == "queued"


def test_a_message_is_either_claimed_or_taken_back(shop: Shop) -> None:
    customer_id = shop.customer()
    for _ in range(8):
        message_id = shop.send(customer_id)

        def cancel(message_id: int = message_id) -> bool:
            try:
                return retries.cancel_message(message_id).dispatch == "cancelled"
            except MessageStateError:
                return False

        def claim(message_id: int = message_id) -> bool:
            return claim_one(message_id) is not None

        assert sorted(shop.at_once([cancel, claim])) == [False, True]
        shop.change(message_id, dispatch="cancelled")
