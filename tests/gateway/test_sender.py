"""The sender: order per chat, and what each outcome of a driver leads to."""

import pytest

from gateway.clock import now
from gateway.drivers.base import DriverState, PermanentError, TemporaryError, UnknownOutcomeError
from gateway.sender import EXPIRES_AFTER, Sender
from gateway.store.callbacks import find_pending
from gateway.store.sends import BULK, REPLY, change_send
from gateway.store.tables import SendState
from tests.gateway.conftest import PHONE
from tests.gateway.scripted import ScriptedDriver
from tests.kit.waiting import eventually

OTHER = "4915228817386"


@pytest.fixture
def driver():
    return ScriptedDriver()


@pytest.fixture
def start(store):
    """Starts a sender over a driver, as a new process would."""
    senders: list[Sender] = []

    def run(driver: ScriptedDriver) -> Sender:
        sender = Sender(
            store,
            driver,
            pace=None,
            is_ready=lambda: driver.state() is DriverState.READY,
            on_callback=lambda: None,
        )
        senders.append(sender)
        sender.recover()
        sender.start()
        return sender

    yield run
    for sender in senders:
        sender.stop(5)


@pytest.fixture
def paths(store):
    """Where the callbacks of a chat go, in order."""

    def look(chat: str = PHONE) -> list[str]:
        with store.reading() as connection:
            return [callback.path for callback in find_pending(connection, chat, limit=100)]

    return look


def test_a_sent_message_is_mapped_and_its_text_let_go(driver, start, queue, newest, paths):
    queue(1)
    start(driver)
    sent = eventually(lambda: (s := newest(1)).state == SendState.SENT and s)
    assert (sent.whatsapp_id, sent.text) == ("WA1", "")
    assert paths() == ["/messages/map"]


def test_one_chat_s_messages_go_out_in_order_one_at_a_time(driver, start, queue):
    driver.released.clear()
    queue(1, 2, 3)
    start(driver)
    eventually(lambda: driver.ids() == [1])
    driver.released.set()
    eventually(lambda: driver.ids() == [1, 2, 3])


def test_a_slow_chat_does_not_hold_another(driver, start, queue):
    driver.released.clear()
    queue(1)
    queue(2, chat=OTHER)
    start(driver)
    eventually(lambda: sorted(driver.ids()) == [1, 2])
    driver.released.set()


def test_replies_overtake_bulk_messages_of_other_chats(driver, start, queue):
    for number in range(60):
        queue(number + 1, chat=str(10_000 + number), priority=1)
    queue(100, chat=OTHER, priority=0)
    start(driver)
    eventually(lambda: len(driver.sent) == 61)
    assert 100 in driver.ids()[:8]


def test_a_temporary_failure_is_tried_again_and_holds_its_chat(driver, start, queue):
    driver.script[1] = [TemporaryError("busy", delay=0.1), TemporaryError("busy", delay=0.1)]
    queue(1, 2)
    start(driver)
    eventually(lambda: driver.ids() == [1, 1, 1, 2])


def test_a_permanent_failure_is_told_and_the_next_goes_on(driver, start, queue, newest, paths):
    driver.script[1] = [PermanentError("no_account", "No WhatsApp here.", retryable=True)]
    queue(1, 2)
    start(driver)
    eventually(lambda: newest(2).state == SendState.SENT)
    failed = newest(1)
    assert (failed.state, failed.code, failed.text) == (SendState.FAILED, "no_account", "")
    assert paths() == ["/messages/failed", "/messages/map"]


@pytest.mark.parametrize("error", [UnknownOutcomeError("cut"), RuntimeError("a bug")])
def test_a_driver_that_recognises_repeats_is_asked_again(driver, start, queue, newest, error):
    driver.script[1] = [error]
    queue(1)
    start(driver)
    eventually(lambda: newest(1).state == SendState.SENT)
    assert driver.ids() == [1, 1]


@pytest.mark.parametrize("error", [UnknownOutcomeError("cut"), RuntimeError("a bug")])
def test_an_unknown_outcome_is_never_sent_again_by_itself(start, queue, newest, paths, error):
    driver = ScriptedDriver(idempotent=False)
    driver.script[1] = [error]
    queue(1, 2)
    start(driver)
    eventually(lambda: newest(2).state == SendState.SENT)
    assert newest(1).state == SendState.UNKNOWN
    assert driver.ids() == [1, 2]
    assert paths() == ["/messages/map"]


@pytest.fixture
def interrupted(queue, newest, store):
    """Two queued sends, the first of them claimed by a process that was then killed."""
    queue(1, 2)
    with store.transaction() as connection:
        change_send(connection, newest(1).id, state=SendState.SENDING)


@pytest.mark.parametrize(
    ("idempotent", "state", "asked"),
    [(True, SendState.SENT, [1, 2]), (False, SendState.UNKNOWN, [2])],
)
@pytest.mark.usefixtures("interrupted")
def test_a_send_that_was_left_half_way_is_repeated_only_where_that_is_safe(
    start, newest, idempotent, state, asked
):
    driver = ScriptedDriver(idempotent=idempotent)
    start(driver)
    eventually(lambda: newest(2).state == SendState.SENT)
    assert newest(1).state == state
    assert driver.ids() == asked


def test_accepted_sends_wait_while_the_driver_is_not_ready(driver, start, queue):
    driver.current = DriverState.DEGRADED
    queue(1)
    sender = start(driver)
    sender.wake()
    assert driver.sent == []
    driver.current = DriverState.READY
    sender.wake()
    eventually(lambda: driver.ids() == [1])


@pytest.mark.parametrize("priority", [REPLY, BULK])
def test_a_message_that_waited_too_long_fails_instead_of_surprising(
    driver, start, queue, newest, paths, priority
):
    queue(1, accepted_at=now() - EXPIRES_AFTER[priority] - 1, priority=priority)
    start(driver)
    eventually(lambda: newest(1).code == "expired")
    assert (driver.sent, paths()) == ([], ["/messages/failed"])


def test_a_campaign_that_the_slow_start_spreads_over_days_goes_out(driver, start, queue, newest):
    queue(1, accepted_at=now() - 6 * 24 * 3600, priority=BULK)
    start(driver)
    eventually(lambda: newest(1).state == SendState.SENT)


def test_a_raised_attempt_is_not_sent_when_the_first_one_turns_out_sent(
    driver, start, queue, newest, paths
):
    driver.released.clear()
    queue(1)
    start(driver)
    eventually(lambda: driver.ids() == [1])
    queue(1, attempt=2)
    driver.released.set()
    eventually(lambda: newest(1).state == SendState.SENT)
    assert newest(1).attempt == 2
    assert driver.ids() == [1]
    assert paths() == ["/messages/map", "/messages/map"]
