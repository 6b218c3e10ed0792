"""The life of the connection: codes, losses, log-outs, bans, and who has to do something."""

import threading
import time

import pytest

from gateway.clock import now
from gateway.drivers.base import DriverState, TemporaryError
from gateway.drivers.web.connection import Connection
from gateway.drivers.web.pairing import Round
from tests.gateway.web.far_side import FarSide
from tests.kit.waiting import eventually


@pytest.fixture
def first_line(protos, driver, far_side, sink):
    """A line that is being dialled."""
    driver.connect(sink)
    eventually(lambda: far_side.lines)
    return far_side.line


def test_a_code_is_shown_until_the_phone_has_scanned_it(first_line, driver, sink, protos):
    assert driver.state() is DriverState.STARTING
    first_line.show("2@first")
    assert (driver.state(), driver.qr()) == (DriverState.NEED_QR, "2@first")
    first_line.show("2@second")
    assert driver.qr() == "2@second"
    first_line.tell(protos.PairStatus(Status=protos.PairStatus.SUCCESS))
    assert driver.qr() is None
    first_line.tell(protos.Connected(status=True))
    eventually(lambda: sink.states[-1] == "ready")
    assert driver.qr() is None
    assert driver.advice() is None


def test_after_five_codes_it_waits_for_a_person(first_line, driver, far_side):
    for number in range(5):
        first_line.show(f"2@{number}")
        assert driver.qr() == f"2@{number}"
    first_line.show("2@5")
    eventually(lambda: first_line.hung_up)
    assert (driver.state(), driver.qr()) == (DriverState.NEED_QR, None)
    assert "ask for a new code" in driver.advice()
    driver.revive()
    time.sleep(0.1)
    assert len(far_side.lines) == 1


def test_a_person_begins_a_new_round(first_line, driver, far_side):
    for number in range(6):
        first_line.show(f"2@{number}")
    eventually(lambda: first_line.hung_up)
    driver._connection.resume()
    eventually(lambda: len(far_side.lines) == 2)
    far_side.line.show("2@anew")
    first_line.show("2@late")
    assert driver.qr() == "2@anew"


def test_a_round_that_ends_with_an_error_waits_for_a_person_too(first_line, driver, far_side):
    first_line.show("2@first")
    first_line.break_down()
    eventually(lambda: driver.qr() is None)
    assert driver.state() is DriverState.NEED_QR
    assert len(far_side.lines) == 1


def test_a_code_lives_as_long_as_whatsapp_takes_it():
    moment = [0.0]
    shown = Round(lambda: moment[0])
    assert not shown.is_over()
    shown.show("2@first")
    moment[0] = 64
    assert shown.code() == "2@first"
    moment[0] = 66
    assert shown.is_over() and shown.code() is None


def test_a_dial_that_fails_is_tried_again_with_longer_pauses(protos, driver, far_side, sink):
    far_side.is_away = True
    driver.connect(sink)
    eventually(lambda: len(far_side.pauses) >= 4)
    assert driver.state() is DriverState.STARTING
    assert "cannot be reached" in driver.advice()
    assert far_side.pauses[:4] == [1, 2, 3, 4]
    assert len(far_side.lines) == 1, "only a knock that is answered is worth a dial"
    far_side.is_away = False
    eventually(lambda: len(far_side.lines) == 2)
    far_side.line.tell(protos.Connected(status=True))
    assert driver.state() is DriverState.READY


def test_a_lost_connection_is_degraded_until_it_returns(line, driver, sink, far_side, protos):
    line.tell(protos.Disconnected(status=True))
    eventually(lambda: sink.states[-1] == "degraded")
    with pytest.raises(TemporaryError):
        driver.probe()
    line.tell(protos.Connected(status=True))
    eventually(lambda: sink.states[-1] == "ready")
    assert len(far_side.lines) == 1


def test_a_reconnect_that_the_library_does_not_manage_is_taken_over(protos):
    far_side = FarSide()
    connection = Connection(
        far_side.open_line,
        knock=far_side.knock,
        on_event=lambda event: None,
        pause=far_side.pause,
        returns_alone=0.0,
    )
    connection.start(lambda state: None)
    eventually(lambda: far_side.lines)
    far_side.line.tell(protos.Connected(status=True))
    far_side.line.tell(protos.Disconnected(status=True))
    eventually(lambda: len(far_side.lines) == 2)
    assert far_side.lines[0].hung_up
    connection.stop(1)


def test_a_line_that_breaks_is_built_anew(line, driver, far_side):
    line.break_down()
    eventually(lambda: len(far_side.lines) == 2)
    assert driver.state() is DriverState.DEGRADED


def test_revive_drops_a_line_that_looks_alive_and_dials_at_once(line, driver, far_side, protos):
    driver.revive()
    eventually(lambda: len(far_side.lines) == 2)
    assert line.hung_up
    assert far_side.pauses == []
    far_side.line.tell(protos.Connected(status=True))
    assert driver.state() is DriverState.READY


def test_a_probe_is_a_question_that_the_far_side_answers(line, driver, far_side):
    driver.probe()
    far_side.words = "info query timed out"
    with pytest.raises(TemporaryError, match="info query timed out"):
        driver.probe()


def test_a_probe_of_a_silent_line_ends_in_time_and_holds_one_thread(line, driver, far_side):
    driver._asker._patience = 0.2
    far_side.silent.set()
    with pytest.raises(TemporaryError, match="does not answer"):
        driver.probe()
    before = threading.active_count()
    with pytest.raises(TemporaryError, match="last question"):
        driver.probe()
    assert threading.active_count() == before
    driver.revive()
    eventually(lambda: len(far_side.lines) == 2)


def events_that_need_a_person(protos):
    reason = protos.ConnectFailureReason.Value
    return [
        (protos.LoggedOut(OnConnect=False, Reason=reason("LOGGED_OUT")), "logged_out", "new code"),
        (protos.ClientOutdated(), "degraded", "newer neonize"),
        (protos.ConnectFailure(Reason=reason("CLIENT_OUTDATED")), "degraded", "newer neonize"),
        (protos.StreamReplaced(), "degraded", "Another program"),
    ]


@pytest.mark.parametrize("which", range(4))
def test_what_only_a_person_can_mend_is_left_alone(line, driver, far_side, sink, protos, which):
    event, state, words = events_that_need_a_person(protos)[which]
    line.tell(event)
    line.tell(protos.Disconnected(status=True))
    eventually(lambda: line.hung_up)
    eventually(lambda: sink.states[-1] == state)
    assert words in driver.advice()
    driver.revive()
    time.sleep(0.1)
    assert len(far_side.lines) == 1
    driver._connection.resume()
    eventually(lambda: len(far_side.lines) == 2)


def test_a_ban_says_when_it_ends_and_ends(line, driver, far_side, protos):
    line.tell(protos.TemporaryBan(Code=protos.TemporaryBan.SEND_TO_TOO_MANY_PEOPLE, Expire=3600))
    eventually(lambda: line.hung_up)
    assert driver.state() is DriverState.BANNED
    until = driver._connection.condition.until
    assert until == pytest.approx(now() + 3600, abs=60)
    assert "until 20" in driver.advice()
    assert len(far_side.lines) == 1


def test_a_refused_connection_is_tried_again(line, driver, far_side, protos):
    line.tell(protos.ConnectFailure(Reason=protos.ConnectFailureReason.Value("GENERIC")))
    line.break_down()
    eventually(lambda: len(far_side.lines) == 2)
    assert "refuses" in driver.advice()


def test_it_ends_within_a_second(line, driver):
    started = time.monotonic()
    driver.disconnect()
    assert line.hung_up
    assert time.monotonic() - started < 1


def test_what_has_arrived_is_stored_before_it_ends(line, driver, sink, write):
    """WhatsApp believes it to be here: a slow store is waited for."""
    take = sink.inbound

    def take_slowly(event):
        time.sleep(0.3)
        take(event)

    sink.inbound = take_slowly
    for number in range(5):
        line.tell(write.message({"conversation": str(number)}))
    driver.disconnect()
    assert [inbound.text for inbound in sink.inbounds] == ["0", "1", "2", "3", "4"]
