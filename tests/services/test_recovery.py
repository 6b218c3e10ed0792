"""The sweep: what a lost job, a dead worker or a silent gateway left is taken up again."""

from datetime import timedelta

import httpx
import pytest

from crm import clock
from crm.models import CounterName, WorkerHeartbeat
from crm.services import outcomes, recovery, retries
from crm.services.outcomes import Failure
from tests.services.shop import Answer, Shop, claim_one


def lose_lease(shop: Shop, message_id: int) -> None:
    shop.make_due(message_id)
    assert shop.do(claim_one, message_id) is not None
    shop.set_back(message_id, "lease_until", 1)
    shop.sweep()


def accepted(shop: Shop, *, minutes_ago: float = 0) -> int:
    message_id = shop.send_new()
    assert shop.deliver(message_id) == "accepted"
    for column, seconds in (("accepted_at", 60 * minutes_ago), ("due_at", 60 * minutes_ago - 120)):
        shop.set_back(message_id, column, seconds)
    return message_id


def about(state: str, **fields: object) -> httpx.Response:
    return httpx.Response(200, json={"state": state, **fields})


def test_a_lease_that_ran_out_puts_the_message_back(shop: Shop) -> None:
    message_id = shop.send_new()
    lose_lease(shop, message_id)
    row = shop.row(message_id)
    assert (row.dispatch, row.maybe_written, row.lost_leases) == ("queued", True, 1)
    assert (row.failures, row.attempts, row.error_code) == (0, 0, "lost_lease")
    shop.sweep()
    assert shop.delivery_jobs() == [message_id] * 2
    assert shop.deliver(message_id) == "accepted"


def test_behind_many_waiting_jobs_none_is_sent_again(shop: Shop) -> None:
    message_ids = [shop.send(shop.customer(f"6012345678{n}")) for n in range(3)]
    for message_id in message_ids:
        shop.set_back(message_id, "hinted_at", 60)
    shop.do(recovery.sweep, jobs_waiting=recovery.ENOUGH_JOBS)
    assert sorted(shop.delivery_jobs()) == message_ids
    shop.do(recovery.sweep, jobs_waiting=recovery.ENOUGH_JOBS - 1)
    assert len(shop.delivery_jobs()) == 4
    assert not shop.backend.jobs[-1].may_join, "it may be what its mates would die of"
    shop.sweep()
    assert sorted(shop.delivery_jobs()) == sorted(message_ids * 2)


def test_behind_many_waiting_jobs_one_that_has_none_gets_its_job(shop: Shop) -> None:
    """Seen to fail while the room left in the queue limited these too.

    Nothing but the sweep sends again what the gateway asked to wait, and the customer's later
    messages wait behind it.
    """
    late, limited = (shop.send(shop.customer(f"6012345678{n}")) for n in range(2))
    shop.gateway.answers = [httpx.Response(429)]
    assert shop.deliver(limited) == "will_retry"
    shop.make_due(limited)
    shop.set_back(late, "hinted_at", 60)
    shop.backend.jobs.clear()
    for _ in range(2):  # told once, it is one whose job is on its way
        shop.do(recovery.sweep, jobs_waiting=5_000)
        assert shop.delivery_jobs() == [limited]


def test_of_those_without_a_job_replies_come_first(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "ENOUGH_JOBS", 1)
    bulk, reply = (shop.send(shop.customer(f"6012345678{n}")) for n in range(2))
    shop.change(bulk, priority=1)
    for message_id in (bulk, reply):
        shop.change(message_id, hinted_at=None)
    shop.backend.jobs.clear()
    for told in ([reply], [reply, bulk]):
        shop.do(recovery.sweep, jobs_waiting=5_000)
        assert shop.delivery_jobs() == told


def test_a_lease_that_still_runs_is_left_alone(shop: Shop) -> None:
    message_id = shop.send_new()
    shop.do(claim_one, message_id)
    before = shop.backend.counts()
    shop.sweep()
    assert shop.row(message_id).dispatch == "sending"
    assert shop.backend.counts() == before


def test_more_than_eight_lost_leases_are_poison(shop: Shop) -> None:
    message_id = shop.send_new()
    for count in range(1, 9):
        lose_lease(shop, message_id)
        assert (shop.row(message_id).dispatch, shop.row(message_id).lost_leases) == (
            "queued",
            count,
        )
    lose_lease(shop, message_id)
    row = shop.row(message_id)
    assert (row.dispatch, row.error_code, row.due_at) == ("unknown", "poison", None)
    assert shop.count(CounterName.MESSAGES_FAILED) == 1
    shop.sweep()
    assert shop.deliver(message_id) == "not_due"


def test_a_lost_job_is_sent_again_after_five_seconds(shop: Shop) -> None:
    message_id = shop.send_new()
    shop.sweep()
    assert shop.delivery_jobs() == [message_id]
    shop.set_back(message_id, "hinted_at", 6)
    shop.sweep()
    shop.sweep()
    assert shop.delivery_jobs() == [message_id] * 2


def test_only_the_oldest_of_a_customer_is_hinted(shop: Shop) -> None:
    first = shop.send_new()
    second = shop.send(shop.row(first).customer_id)
    for message_id in (first, second):
        shop.set_back(message_id, "hinted_at", 60)
    shop.backend.jobs.clear()
    shop.sweep()
    assert shop.delivery_jobs() == [first]


def test_a_job_too_early_does_not_hold_up_the_one_in_time(shop: Shop) -> None:
    """Seen to fail while the end of a newer message hinted one that still waited for its retry."""
    shop.gateway.answers = [httpx.Response(429)]
    older = shop.send_new()
    newer = shop.send(shop.row(older).customer_id)
    assert shop.deliver(older) == "will_retry"
    shop.do(retries.cancel_message, newer)
    shop.make_due(older)
    before = len(shop.delivery_jobs())
    shop.sweep()
    assert shop.delivery_jobs()[before:] == [older]


def test_a_message_whose_time_has_not_come_is_not_hinted(shop: Shop) -> None:
    message_id = shop.send_new()
    shop.change(message_id, due_at=clock.now() + timedelta(hours=1), hinted_at=None)
    shop.sweep()
    assert shop.delivery_jobs() == [message_id]


@pytest.mark.parametrize(("maybe_written", "ending"), [(False, "failed"), (True, "unknown")])
def test_after_a_day_in_the_queue_the_agent_is_told(
    shop: Shop, maybe_written: bool, ending: str
) -> None:
    old, young = shop.send_new(), shop.send(shop.customer("60111111111"))
    shop.change(old, maybe_written=maybe_written)
    shop.set_back(old, "queued_at", 24 * 3600 + 60)
    shop.set_back(young, "queued_at", 24 * 3600 - 3600)
    shop.sweep()
    assert (shop.row(old).dispatch, shop.row(old).error_code) == (ending, "expired")
    assert shop.row(young).dispatch == "queued"
    assert shop.told(old)[-1]["status"] == ending


def test_an_accepted_message_is_asked_about_after_two_minutes(shop: Shop) -> None:
    early = accepted(shop, minutes_ago=1)
    shop.sweep()
    assert shop.jobs("messages.check_accepted") == []
    shop.set_back(early, "due_at", 1)
    shop.sweep()
    shop.sweep()
    assert shop.jobs("messages.check_accepted") == [early]


@pytest.mark.parametrize("status", [404, 405, 501, 500, 503])
def test_a_gateway_that_does_not_say_is_waited_for_fifteen_minutes(shop: Shop, status: int) -> None:
    message_id = accepted(shop, minutes_ago=10)
    shop.gateway.about[message_id] = httpx.Response(status, json={"detail": "no"})
    assert shop.do(outcomes.check_accepted, message_id) == "accepted"
    shop.set_back(message_id, "accepted_at", 15 * 60 + 5)
    assert shop.do(outcomes.check_accepted, message_id) == "unknown"
    row = shop.row(message_id)
    assert (row.error_code, row.maybe_written, row.due_at) == ("no_word", True, None)
    assert len(shop.gateway.sent) == 1, "nothing is ever sent again by itself"


@pytest.mark.parametrize(
    ("word", "ending"),
    [
        (about("sent", whatsapp_id="wa-1"), "mapped"),
        (about("failed", code="no_such_number", reason="Not on WhatsApp."), "failed"),
        (about("unknown"), "unknown"),
        (about("queued"), "accepted"),
        (about("sending"), "accepted"),
        (httpx.ReadTimeout("slow"), "accepted"),
        (httpx.Response(200, content=b"\xff"), "accepted"),
    ],
)
def test_what_the_gateway_says_is_written_down(shop: Shop, word: Answer, ending: str) -> None:
    message_id = accepted(shop, minutes_ago=5)
    shop.gateway.about[message_id] = word
    assert shop.do(outcomes.check_accepted, message_id) == ending
    assert shop.told(message_id)[-1]["status"] == ("sent" if ending == "mapped" else ending)


def test_a_gateway_that_still_has_it_queued_is_waited_for(shop: Shop) -> None:
    message_id = accepted(shop, minutes_ago=60)
    shop.gateway.about[message_id] = about("queued")
    assert shop.do(outcomes.check_accepted, message_id) == "accepted"


@pytest.mark.parametrize(
    ("state", "ending"),
    [
        ("accepted", "failed"),
        ("unknown", "failed"),
        ("mapped", "mapped"),
        ("cancelled", "cancelled"),
        ("failed", "failed"),
    ],
)
def test_the_gateways_failure_is_believed_unless_whatsapp_has_it(
    shop: Shop, state: str, ending: str
) -> None:
    message_id = shop.send_new()
    shop.change(message_id, dispatch=state)
    for _ in range(2):
        shop.do(
            outcomes.report_failed, message_id, Failure(code="refused", reason="No.", attempt=None)
        )
    assert shop.row(message_id).dispatch == ending
    assert len(shop.told(message_id)) == (state != ending)
    # An unknown one was counted when it became that.
    assert shop.count(CounterName.MESSAGES_FAILED) == (state == "accepted")


def test_a_failure_of_an_attempt_that_was_replaced_says_nothing(shop: Shop) -> None:
    message_id = shop.send_new()
    shop.change(message_id, gateway_attempt=2)
    shop.do(outcomes.report_failed, message_id, Failure(code="x", reason=None, attempt=1))
    assert shop.row(message_id).dispatch == "queued"
    shop.do(outcomes.report_failed, message_id, Failure(code="x", reason=None, attempt=2))
    assert shop.row(message_id).dispatch == "failed"


def test_sweeps_at_once_do_everything_once(shop: Shop) -> None:
    message_ids = [shop.send(shop.customer(f"6012{n:07}")) for n in range(6)]
    for message_id in message_ids:
        shop.do(claim_one, message_id)
        shop.set_back(message_id, "lease_until", 1)
    shop.at_once([recovery.sweep] * 4)
    assert {shop.row(message_id).lost_leases for message_id in message_ids} == {1}
    shop.at_once([recovery.sweep] * 4)
    assert sorted(shop.delivery_jobs()[6:]) == message_ids


def test_an_idle_sweep_changes_and_tells_nothing(shop: Shop) -> None:
    shop.send_new()
    before, jobs = shop.backend.counts(), len(shop.backend.jobs)
    for _ in range(3):
        shop.sweep()
    assert (shop.backend.counts(), len(shop.backend.jobs)) == (before, jobs)


def test_a_heartbeat_is_one_row_that_is_renewed(shop: Shop) -> None:
    shop.do(recovery.record_heartbeat, "host")
    first = shop.all(WorkerHeartbeat)[0].beat_at
    shop.do(recovery.record_heartbeat, "host")
    (row,) = shop.all(WorkerHeartbeat)
    assert row.beat_at > first
