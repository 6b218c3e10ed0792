"""Each answer of the gateway, and what becomes of the message."""

from datetime import timedelta

import httpx
import pytest

from crm import clock
from crm.models import CounterName
from crm.services import settlement
from tests.services.shop import Answer, Shop, deliver_one

BASE = 2.0
REFUSED = httpx.ConnectError("refused")
SOON = 60.0
"""Seconds by which a stored moment may be off on a busy machine."""


def answer(status: int, body: object = None, **headers: str) -> httpx.Response:
    return httpx.Response(status, json=body or {"detail": "no"}, headers=headers)


def garbage(status: int) -> httpx.Response:
    return httpx.Response(status, content=b"\x00\xff<html>")


@pytest.mark.parametrize("taken", [answer(202), answer(200), answer(204), garbage(202)])
def test_any_2xx_means_that_the_gateway_has_it(shop: Shop, taken: httpx.Response) -> None:
    shop.gateway.usual = taken
    message_id = shop.send_new()
    assert shop.deliver(message_id) == "accepted"
    row = shop.row(message_id)
    assert (row.dispatch, row.attempts, row.failures, row.lease_until) == ("accepted", 1, 0, None)
    assert row.accepted_at is not None and row.due_at == row.accepted_at + timedelta(minutes=2)
    assert [state["status"] for state in shop.told(message_id)] == ["sending", "accepted"]


def test_the_gateway_is_told_whom_what_which_and_the_request(shop: Shop) -> None:
    message_id = shop.send_new()
    shop.deliver(message_id)
    assert shop.gateway.sent == [
        {"to": "60123456789", "message": "Hello", "backend_message_id": message_id, "attempt": 1}
    ]
    assert shop.gateway.requests[0].headers["X-Request-ID"] == "r-1"


@pytest.mark.parametrize("away", [REFUSED, httpx.ConnectTimeout("slow"), answer(503)])
def test_a_gateway_that_is_away_is_not_a_try(shop: Shop, away: Answer) -> None:
    shop.gateway.usual = away
    message_id = shop.send_new()
    for _ in range(6):
        assert shop.deliver(message_id) == "gateway_away"
    row = shop.row(message_id)
    assert (row.dispatch, row.attempts, row.failures) == ("queued", 0, 0)
    assert row.maybe_written is False
    assert row.error and "gateway" in row.error
    assert row.due_at is not None and row.due_at > clock.now() - timedelta(seconds=SOON)
    assert shop.told(message_id)[-1]["error"] == row.error


@pytest.mark.parametrize(
    ("fault", "code", "maybe_written"),
    [
        (httpx.ReadTimeout("slow"), "timeout", True),
        (httpx.WriteTimeout("slow"), "timeout", True),
        (httpx.RemoteProtocolError("nonsense"), "broken", True),
        (httpx.ReadError("reset"), "broken", True),
        (answer(500), "500", True),
        (answer(302, Location="/x"), "302", True),
        (garbage(502), "502", True),
        (answer(429), "429", False),
        (answer(401), "401", False),
        (answer(403), "403", False),
        (answer(408), "408", False),
        (answer(425), "425", False),
    ],
)
def test_a_fault_that_may_pass_is_a_try_and_is_repeated(
    shop: Shop, fault: Answer, code: str, maybe_written: bool
) -> None:
    shop.gateway.usual = fault
    message_id = shop.send_new()
    assert shop.deliver(message_id) == "will_retry"
    row = shop.row(message_id)
    assert (row.dispatch, row.failures, row.attempts) == ("queued", 1, 1)
    assert (row.error_code, row.maybe_written) == (code, maybe_written)
    assert row.hinted_at is None and row.lease_until is None
    assert shop.told(message_id)[-1]["error"] == row.error


@pytest.mark.parametrize("status", [400, 404, 405, 409, 413, 422])
def test_other_refusals_are_final_at_once(shop: Shop, status: int) -> None:
    shop.gateway.usual = answer(status, {"detail": "not a WhatsApp number"})
    message_id = shop.send_new()
    assert shop.deliver(message_id) == "failed"
    row = shop.row(message_id)
    assert (row.dispatch, row.attempts, row.due_at) == ("failed", 1, None)
    assert row.error == f"The WhatsApp gateway answered {status}: not a WhatsApp number"
    assert shop.count(CounterName.MESSAGES_FAILED) == 1


@pytest.mark.parametrize(
    ("fault", "ending"), [(answer(429), "failed"), (answer(500), "unknown"), (REFUSED, None)]
)
def test_the_fourth_definite_failure_is_the_last(
    shop: Shop, fault: Answer, ending: str | None
) -> None:
    shop.gateway.usual = fault
    message_id = shop.send_new()
    outcomes = [shop.deliver(message_id) for _ in range(4)]
    if ending is None:
        assert outcomes == ["gateway_away"] * 4
        return
    assert outcomes == ["will_retry"] * 3 + [ending]
    row = shop.row(message_id)
    assert (row.dispatch, row.attempts, row.due_at, row.lease_until) == (ending, 4, None, None)
    assert shop.deliver(message_id) == "not_due"
    assert len(shop.gateway.sent) == 4
    assert shop.count(CounterName.MESSAGES_FAILED) == 1
    assert {sent["attempt"] for sent in shop.gateway.sent} == {1}


@pytest.mark.parametrize("last", [answer(429), answer(422)])
def test_one_try_that_may_have_been_written_makes_the_end_unknown(
    shop: Shop, last: httpx.Response
) -> None:
    shop.gateway.answers = [httpx.ReadTimeout("slow")]
    shop.gateway.usual = last
    message_id = shop.send_new()
    outcomes = [shop.deliver(message_id) for _ in range(4)]
    assert "unknown" in outcomes and "failed" not in outcomes
    assert shop.row(message_id).dispatch == "unknown"


def test_the_wait_doubles_and_is_never_nothing() -> None:
    for failures, middle in ((1, BASE), (2, 2 * BASE), (3, 4 * BASE)):
        delays = {settlement.retry_delay(failures, BASE) for _ in range(500)}
        assert min(delays) >= middle * 0.5 > 0
        assert max(delays) <= middle * 1.5
        assert len(delays) > 400, "without jitter, all would come back at once"


def test_the_wait_is_stored_and_nothing_goes_before_it(shop: Shop) -> None:
    shop.gateway.usual = answer(429)
    message_id = shop.send_new()
    for failures in (1, 2, 3):
        before = clock.now()
        shop.deliver(message_id)
        due_at, after = shop.row(message_id).due_at, clock.now()
        middle = timedelta(seconds=BASE * 2 ** (failures - 1))
        assert due_at is not None
        assert before + middle * 0.5 <= due_at <= after + middle * 1.5
        shop.change(message_id, due_at=clock.now() + timedelta(hours=1))
        assert shop.do(deliver_one, message_id) == "not_due"


@pytest.mark.parametrize(
    ("wish", "seconds"), [("30", 30.0), ("9999", 60.0), ("soon", 1.0), ("-5", 1.0)]
)
def test_retry_after_is_waited_for_within_reason(shop: Shop, wish: str, seconds: float) -> None:
    shop.gateway.usual = answer(429, **{"Retry-After": wish})
    message_id = shop.send_new()
    before = clock.now()
    shop.deliver(message_id)
    due_at = shop.row(message_id).due_at
    assert due_at is not None and due_at >= before + timedelta(seconds=seconds)
    assert due_at <= clock.now() + timedelta(seconds=max(seconds, BASE * 1.5))
