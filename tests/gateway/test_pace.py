"""The pace of a number: gaps, rates, a slow start and quiet hours."""

import dataclasses
from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest

from config.pace import PaceSettings, QuietHours
from gateway.app import create_app
from gateway.clock import now
from gateway.drivers.base import DriverState
from gateway.pace import BULK_SHARE, DAY, MINUTE, Pace, find_quiet_end, make_room
from gateway.sender import Sender
from gateway.store.facts import Fact, recall, remember
from gateway.store.sends import add_send, change_send, find_attempts
from gateway.store.tables import SendState
from tests.gateway.conftest import PHONE
from tests.gateway.scripted import ScriptedDriver
from tests.kit.waiting import eventually

OTHER = "4915228817386"
UTC = ZoneInfo("UTC")
FREE = PaceSettings(chat_gap=0, per_minute=1000, fresh_days=0, fresh_per_day=1, quiet_hours=None)


def always_quiet() -> QuietHours:
    """Quiet hours that hold now and for some hours to come."""
    hour = datetime.fromtimestamp(now(), UTC).hour
    return QuietHours(starts=time((hour - 2) % 24), ends=time((hour + 4) % 24), zone=UTC)


@pytest.fixture
def driver():
    return ScriptedDriver()


@pytest.fixture
def start(store, driver):
    """Starts a sender that keeps this pace."""
    senders: list[Sender] = []

    def run(**limits: object) -> Sender:
        sender = Sender(
            store,
            driver,
            pace=Pace(dataclasses.replace(FREE, **limits)),
            is_ready=lambda: driver.state() is DriverState.READY,
            on_callback=lambda: None,
        )
        senders.append(sender)
        sender.start()
        return sender

    yield run
    for sender in senders:
        sender.stop(5)


@pytest.fixture
def departed(store):
    """Records sends of the past, each so many seconds ago."""

    def put(*ages: float, chat: str = "99999", first_id: int = 1000) -> None:
        with store.transaction() as connection:
            for number, age in enumerate(ages):
                values = {
                    "backend_message_id": first_id + number,
                    "attempt": 1,
                    "chat": chat,
                    "text": "",
                    "priority": 1,
                    "due_at": now() - age,
                    "accepted_at": now() - age,
                    "request_id": "r",
                }
                add_send(connection, values)
                stored = find_attempts(connection, first_id + number)[0]
                change_send(connection, stored.id, state=SendState.SENT)

    return put


@pytest.fixture
def look(store):
    def ask(at: float | None = None, **limits: object):
        with store.reading() as connection:
            return Pace(dataclasses.replace(FREE, **limits)).look(connection, at or now())

    return ask


def test_two_sends_to_one_chat_keep_their_gap_and_another_chat_does_not_wait(
    driver, start, queue, newest
):
    queue(1, 2)
    queue(3, chat=OTHER)
    start(chat_gap=1.0)
    eventually(lambda: len(driver.sent) == 3)
    assert sorted(driver.ids()[:2]) == [1, 3]
    eventually(lambda: newest(2).state == SendState.SENT)
    assert newest(2).due_at - newest(1).due_at >= 1.0


def test_the_gap_holds_after_a_restart(driver, start, queue, departed, newest):
    departed(0.2, chat=PHONE)
    queue(1)
    start(chat_gap=1.0)
    eventually(lambda: newest(1).state == SendState.SENT)
    assert newest(1).due_at - newest(1000).due_at >= 1.0


def test_a_full_minute_holds_everything_until_its_oldest_send_has_passed(
    driver, start, queue, departed, newest
):
    departed(58.5, 30, 20)
    queue(1, 2)
    start(per_minute=3)
    assert driver.sent == []
    eventually(lambda: newest(1).state == SendState.SENT)
    assert newest(1).due_at - newest(1000).due_at >= MINUTE
    assert driver.ids() == [1], "the next place is free in half a minute"


def test_no_more_leave_in_a_minute_than_the_rate_allows_from_however_many_chats(
    driver, start, queue, newest
):
    for number in range(1, 31):
        queue(number, chat=str(10_000 + number))
    start(per_minute=5)
    eventually(lambda: len(driver.sent) == 5)
    eventually(lambda: sum(newest(number).state == SendState.SENT for number in range(1, 31)) == 5)
    assert len(driver.sent) == 5


def test_a_chat_whose_send_is_stuck_does_not_use_up_the_places_of_others(driver, start, queue):
    driver.released.clear()
    queue(1, 2, 3)
    queue(4, chat=OTHER)
    start(per_minute=2)
    eventually(lambda: sorted(driver.ids()) == [1, 4])
    driver.released.set()


def test_bulk_leaves_a_part_of_the_rate_to_replies(driver, start, queue):
    for number in range(1, 21):
        queue(number, chat=str(10_000 + number), priority=1)
    sender = start(per_minute=8)
    eventually(lambda: len(driver.sent) == 8 * BULK_SHARE)
    queue(100, 101, chat=OTHER)
    sender.wake()
    eventually(lambda: driver.ids()[6:] == [100, 101])


def test_quiet_hours_hold_bulk_and_no_reply(driver, start, queue):
    queue(1, chat=OTHER, priority=1)
    queue(2)
    start(quiet_hours=always_quiet())
    eventually(lambda: driver.ids() == [2])


def test_a_reply_overtakes_bulk_of_its_own_chat_that_has_to_wait(driver, start, queue, newest):
    queue(1, priority=1)
    queue(2, 3)
    start(quiet_hours=always_quiet())
    eventually(lambda: newest(3).state == SendState.SENT)
    assert driver.ids() == [2, 3]
    assert newest(1).state == SendState.QUEUED


def test_outside_of_quiet_hours_a_chat_keeps_its_order(driver, start, queue):
    queue(1, priority=1)
    queue(2)
    start()
    eventually(lambda: driver.ids() == [1, 2])


def test_waiting_does_not_keep_the_lane_busy(driver, start, queue):
    looks = []

    class Counting(Pace):
        def look(self, connection, at):
            looks.append(at)
            return super().look(connection, at)

    for number in range(1, 50):
        queue(number, chat=str(10_000 + number))
    sender = start(per_minute=1)
    eventually(lambda: driver.sent)
    sender._pace = Counting(dataclasses.replace(FREE, per_minute=1))
    sender.wake()
    eventually(lambda: looks)
    before = len(looks)
    queue(50, chat="20000")
    sender.wake()
    eventually(lambda: len(looks) > before)
    assert len(looks) - before <= 2


def test_the_moment_of_the_first_send_is_kept(start, queue, newest, store):
    queue(1)
    start()
    eventually(lambda: newest(1).state == SendState.SENT)
    with store.reading() as connection:
        assert recall(connection)[Fact.FIRST_SENT_AT] == newest(1).due_at


def test_a_fresh_number_starts_slowly_and_grows_day_by_day(store, look):
    limits = {"per_minute": 20, "fresh_days": 4, "fresh_per_day": 50}
    at = now()
    assert (look(**limits).per_minute, look(**limits).bulk_per_day) == (10, 50)
    with store.transaction() as connection:
        remember(connection, Fact.FIRST_SENT_AT, at)
    grown = [look(at + day * DAY + 1, **limits) for day in range(6)]
    assert [day.per_minute for day in grown] == [10, 12, 15, 17, 20, 20]
    assert [day.bulk_per_day for day in grown] == [50, 100, 200, 400, None, None]
    assert [day.fresh_until for day in grown] == [at + 4 * DAY] * 4 + [None] * 2


def test_the_daily_limit_of_a_fresh_number_is_for_bulk_only(look, departed):
    departed(*range(1000, 1010))
    allowed = look(fresh_days=7, fresh_per_day=10)
    assert allowed.bulk.free == 0
    assert allowed.bulk.opens_at == pytest.approx(now() - 1009 + DAY, abs=5)
    assert allowed.replies.free > 0


def test_what_went_out_before_a_restart_counts(look, departed):
    departed(5, 10, 70)
    allowed = look(per_minute=4)
    assert (allowed.sent_last_minute, allowed.replies.free) == (2, 2)


def test_room_opens_when_enough_has_passed():
    assert make_room([], 2, at=100, span=60).free == 2
    full = make_room([90, 80, 70], 2, at=100, span=60)
    assert (full.free, full.opens_at) == (0, 140)


def moment(text: str, zone: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(
    ("at", "ends"),
    [
        ("2026-03-10T21:59:59", None),
        ("2026-03-10T22:00:00", "2026-03-11T08:00:00"),
        ("2026-03-11T03:00:00", "2026-03-11T08:00:00"),
        ("2026-03-11T08:00:00", None),
        # The clock goes forward in this night: an hour less to wait.
        ("2026-03-29T01:00:00", "2026-03-29T08:00:00"),
    ],
)
def test_quiet_hours_reach_over_midnight_in_the_shop_s_own_time(at, ends):
    zone = "Europe/Berlin"
    quiet = QuietHours(starts=time(22), ends=time(8), zone=ZoneInfo(zone))
    assert find_quiet_end(quiet, moment(at, zone)) == (ends and moment(ends, zone))


def test_quiet_hours_of_an_afternoon_end_on_the_same_day():
    quiet = QuietHours(starts=time(13), ends=time(15, 30), zone=UTC)
    at = moment("2026-03-10T14:00:00", "UTC")
    assert find_quiet_end(quiet, at) == moment("2026-03-10T15:30:00", "UTC")
    assert find_quiet_end(quiet, at + 7200) is None


def test_the_status_shows_the_pace(store, departed):
    departed(5, 10)
    limits = dataclasses.replace(FREE, per_minute=2, quiet_hours=always_quiet())
    with store.reading() as connection:
        shown = Pace(limits).describe(connection, now())
    assert (shown["per_minute"], shown["sent_last_minute"], shown["sent_last_day"]) == (2, 2, 2)
    assert shown["quiet_hours"].endswith(":00 UTC")
    assert shown["bulk_waits_until"] > shown["replies_wait_until"]


def test_the_simulator_keeps_no_pace(settings):
    slow = dataclasses.replace(FREE, per_minute=1, chat_gap=60)
    app = create_app(dataclasses.replace(settings, pace=slow))
    service = app.extensions["gateway"]
    service.start()
    assert service.wait_until_running(10)
    client = app.test_client()
    for number in range(1, 11):
        order = {"to": PHONE, "message": "hello", "backend_message_id": number}
        assert client.post("/send", json=order).status_code == 202
    eventually(lambda: len(client.get("/simulator/log").json) == 10)
    assert client.get("/status").json["pace"] is None
    service.stop()
