"""Honest health: what a driver says is believed only while the evidence is not against it."""

import threading
from dataclasses import replace
from itertools import pairwise

import pytest

from gateway.clock import now
from gateway.drivers.base import DriverState, TemporaryError
from gateway.health import Health
from gateway.store.callbacks import NO_CHAT, find_pending
from gateway.store.facts import Fact, remember
from gateway.store.sends import change_send, find_attempts
from gateway.store.tables import SendState
from gateway.watchdog import ACK_PATIENCE, LONGEST_REVIVE_PAUSE, MAX_HUNG, Watchdog
from tests.gateway.conftest import PHONE
from tests.gateway.scripted import ScriptedDriver
from tests.kit.waiting import eventually


@pytest.fixture
def driver():
    return ScriptedDriver()


@pytest.fixture
def changes():
    return []


@pytest.fixture
def health(store, driver, changes):
    return Health(
        store, driver, on_change=lambda: changes.append(driver.state()), on_callback=lambda: None
    )


@pytest.fixture
def watchdog(store, driver, health):
    return Watchdog(store, driver, health=health, interval=30, answer_within=0.2)


@pytest.fixture
def pushed(store):
    def look() -> list[str]:
        with store.reading() as connection:
            return [callback.body for callback in find_pending(connection, NO_CHAT, limit=10)]

    return look


def fail() -> None:
    raise TemporaryError("no answer", delay=1)


def test_a_connection_that_answers_is_believed(watchdog, health, driver):
    for _ in range(3):
        watchdog.look()
    assert (health.state(), health.advice()) == (DriverState.READY, None)
    assert (driver.probes, driver.revivals) == (3, 0)


def test_one_failed_probe_is_no_evidence_and_the_second_is(watchdog, health, driver):
    driver.on_probe = fail
    watchdog.look()
    assert health.state() is DriverState.READY
    watchdog.look()
    assert health.state() is DriverState.DEGRADED
    assert "does not answer" in health.advice()
    assert not health.is_ready()
    assert driver.revivals == 1


def test_a_probe_that_succeeds_in_between_starts_the_count_anew(watchdog, health, driver):
    for broken in (True, False, True, False):
        driver.on_probe = fail if broken else lambda: None
        watchdog.look()
    assert health.state() is DriverState.READY


def test_a_probe_that_never_comes_back_is_evidence_at_once(watchdog, health, driver):
    release = threading.Event()
    driver.on_probe = lambda: release.wait(30) and None
    watchdog.look()
    assert health.state() is DriverState.DEGRADED
    for _ in range(10):
        watchdog.look()
    assert driver.probes + driver.revivals <= MAX_HUNG + 2
    driver.on_probe = lambda: None
    release.set()
    eventually(lambda: watchdog.look() or health.is_ready())


def test_a_driver_s_bug_in_a_probe_counts_as_no_answer(watchdog, health, driver):
    driver.on_probe = lambda: {}["bug"]
    watchdog.look()
    watchdog.look()
    assert health.state() is DriverState.DEGRADED


def test_the_first_good_probe_ends_the_doubt(watchdog, health, driver, changes):
    driver.on_probe = fail
    watchdog.look()
    watchdog.look()
    driver.on_probe = lambda: None
    watchdog.look()
    assert (health.state(), health.advice()) == (DriverState.READY, None)
    assert len(changes) == 2


def test_revivals_become_rarer(watchdog, driver):
    driver.on_probe = fail
    moments = []
    driver.on_revive = lambda: moments.append(driver.probes)
    for _ in range(200):
        watchdog.look()
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert gaps[0] <= 3
    assert LONGEST_REVIVE_PAUSE * 0.7 <= gaps[-1] <= LONGEST_REVIVE_PAUSE + 1


def test_doubt_outlasts_a_revival_until_a_probe_succeeds(watchdog, health, driver):
    driver.on_probe = fail
    watchdog.look()
    watchdog.look()
    driver.current = DriverState.STARTING
    watchdog.look()
    assert health.state() is DriverState.STARTING
    driver.current = DriverState.READY
    assert health.state() is DriverState.DEGRADED
    driver.on_probe = lambda: None
    watchdog.look()
    assert health.state() is DriverState.READY


@pytest.mark.parametrize("state", [DriverState.NEED_QR, DriverState.BANNED, DriverState.LOGGED_OUT])
def test_a_driver_that_says_it_is_not_ready_is_not_probed(watchdog, health, driver, state):
    driver.current = state
    watchdog.look()
    assert health.state() is state
    assert (driver.probes, driver.revivals) == (0, 0)


@pytest.fixture
def sent_long_ago(queue, store):
    """Messages that went out to some chats before receipts became overdue."""

    def put(count: int, *, chats: int) -> None:
        for number in range(1, count + 1):
            queue(number, chat=str(10_000 + number % chats))
            with store.transaction() as connection:
                send = find_attempts(connection, number)[0]
                at = now() - ACK_PATIENCE - 10
                change_send(connection, send.id, state=SendState.SENT, due_at=at)

    return put


@pytest.fixture
def last_ack(store):
    def put(age: float) -> None:
        with store.transaction() as connection:
            remember(connection, Fact.LAST_ACK_AT, now() - age)

    return put


@pytest.fixture
def old_watchdog(watchdog):
    """One that has run for an hour."""
    watchdog._trusted_at -= 3600
    return watchdog


def test_sends_without_any_receipt_are_evidence(
    old_watchdog, health, driver, sent_long_ago, last_ack
):
    sent_long_ago(6, chats=3)
    last_ack(ACK_PATIENCE + 60)
    old_watchdog.look()
    assert health.state() is DriverState.DEGRADED
    assert "no receipt" in health.advice()
    assert driver.revivals == 1
    for _ in range(3):
        old_watchdog.look()
    assert health.is_ready(), "the revived connection answers, and has sent nothing yet"


@pytest.mark.parametrize(
    ("sent", "age"),
    [
        ((6, 3), ACK_PATIENCE - 60),
        ((4, 3), ACK_PATIENCE + 60),
        ((6, 1), ACK_PATIENCE + 60),
        ((6, 3), None),
    ],
    ids=["a receipt came since", "few messages", "one customer", "receipts never came"],
)
def test_silence_that_proves_nothing_is_no_evidence(
    old_watchdog, health, sent_long_ago, last_ack, sent, age
):
    count, chats = sent
    sent_long_ago(count, chats=chats)
    if age is not None:
        last_ack(age)
    old_watchdog.look()
    assert health.is_ready()


def test_each_change_is_pushed_and_only_the_newest_is_kept(health, driver, pushed):
    health.refresh()
    health.refresh()
    assert len(pushed()) == 1
    driver.current = DriverState.NEED_QR
    health.refresh()
    (body,) = pushed()
    assert '"need_qr": true' in body


def test_a_push_that_cannot_be_stored_is_owed(health, store, driver, pushed, monkeypatch):
    def break_down(*_: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(store, "transaction", break_down)
        health.refresh()
    assert pushed() == []
    health.refresh()
    assert len(pushed()) == 1


def test_the_backend_hears_of_each_state(client, misbehave, backend):
    eventually(lambda: backend.states() == ["ready"])
    misbehave(connection="need_qr")
    eventually(lambda: backend.states() == ["ready", "need_qr"])
    body = backend.pushes[-1].body
    assert body.pop("at")[:2] == body.pop("since")[:2] == "20"
    assert body == {
        "state": "need_qr",
        "ready": False,
        "need_qr": True,
        "session_active": False,
        "driver": "simulator",
        "advice": None,
    }


def test_a_backend_that_knows_no_pushes_collects_no_dead_letters(client, misbehave, backend):
    backend.answer_push = lambda path, body: 404
    for state in ("need_qr", "ready", "banned", "ready"):
        misbehave(connection=state)
    eventually(lambda: len(backend.pushes) >= 2)
    client.post("/simulator/inbound", json={"phone": PHONE, "text": "hello"})
    eventually(lambda: backend.bodies("/messages/inbox"))
    nothing = {"pending": 0, "dead": 0, "dead_letters": []}
    eventually(lambda: client.get("/status").json["callbacks"] == nothing)


def test_after_the_backend_was_away_it_hears_only_the_newest_state(misbehave, backend):
    eventually(lambda: backend.states() == ["ready"])
    backend.answer_push = lambda path, body: 500
    for state in ("need_qr", "ready", "logged_out"):
        misbehave(connection=state)
    eventually(lambda: len(backend.pushes) >= 3)
    backend.answer_push = lambda path, body: 200
    eventually(lambda: backend.states() == ["ready", "logged_out"])


def test_a_silent_connection_says_ready_and_takes_nothing(client, misbehave, send, backend):
    misbehave(silent=True, silent_seconds=0)
    assert send(1) == 202, "nobody knows yet"
    client.post("/simulator/inbound", json={"phone": PHONE, "text": "anyone?"})
    assert client.get("/status").json["state"] == "ready"
    assert client.get("/simulator/log").json == []
    assert backend.calls == []
    misbehave(silent=False)
    eventually(lambda: backend.bodies("/messages/inbox"))
    eventually(lambda: backend.bodies("/messages/map"))


def test_sends_go_on_after_an_interruption_that_nobody_was_told_of(service, queue, newest):
    driver = service.driver
    driver.misbehaviour = replace(driver.misbehaviour, connection=DriverState.DEGRADED)
    queue(1)
    service.sender.wake()
    eventually(lambda: not service.sender._lanes._wake.is_set())
    driver.misbehaviour = replace(driver.misbehaviour, connection=DriverState.READY)
    service.recorder.state_changed(DriverState.READY)
    eventually(lambda: newest(1).state == SendState.SENT)
