"""The driver `cloud` against a pretend Graph server: what each of its answers leads to."""

import threading
import time

import pytest

from gateway.drivers.base import (
    DriverState,
    PermanentError,
    TemporaryError,
    UnknownOutcomeError,
)
from gateway.drivers.cloud.codes import RULES, Action
from gateway.drivers.cloud.faults import MOST_TRIES, AccountError, from_code
from gateway.drivers.cloud.patience import Patience
from gateway.drivers.events import Outgoing, TemplateUse
from tests.gateway.conftest import PHONE
from tests.kit.graph_account import STATUSES
from tests.kit.waiting import eventually

RETRIED = {1, 2, 4, 80007, 130429, 131000, 131016, 131056, 131057, 133016}
FINAL = {100, 190, 368, 130472, 131008, 131009, 131026, 131031, 131042, 131047}
VAGUE = {1, 2, 131000, 131016}
FINAL |= {131049, 131050, 131051}


def outgoing(number: int = 1, **more: object) -> Outgoing:
    fields = {"backend_message_id": number, "attempt": 1, "chat": PHONE, "text": "hello"}
    return Outgoing(**fields | more)


@pytest.fixture
def driver(cloud):
    return cloud


@pytest.fixture
def connect(connect_cloud):
    return connect_cloud


@pytest.fixture
def sent(graph):
    return lambda: [(entry["to"], entry["text"]) for entry in graph.account.entries()]


def test_a_text_goes_out_as_it_is_with_our_ids_to_come_back(driver, graph):
    whatsapp_id = driver.send(outgoing(17, attempt=3, text="https://a.b *x* 😀\n"))
    (entry,) = graph.account.entries()
    assert entry["wamid"] == whatsapp_id
    assert (entry["text"], entry["tracker"]) == ("https://a.b *x* 😀\n", "backend:17:3")


def test_a_template_goes_out_with_its_values_in_order(driver, graph):
    use = TemplateUse(name="order_sent", language="en_US", params=("Ann", "17"))
    driver.send(outgoing(text="", template=use))
    driver.send(outgoing(2, text="", template=TemplateUse(name="hello", language="de")))
    first, second = (entry["template"] for entry in graph.account.entries())
    values = [{"type": "text", "text": "Ann"}, {"type": "text", "text": "17"}]
    assert first == {
        "name": "order_sent",
        "language": {"code": "en_US"},
        "components": [{"type": "body", "parameters": values}],
    }
    assert second == {"name": "hello", "language": {"code": "de"}}


def test_a_lid_cannot_be_written_to(driver, sent):
    with pytest.raises(PermanentError) as raised:
        driver.send(outgoing(chat="123@lid"))
    assert (raised.value.code, sent()) == ("no_phone", [])


@pytest.mark.parametrize("code", sorted(RETRIED - VAGUE | {1}))
def test_what_passes_is_tried_again_later(driver, graph, sent, code):
    graph.misbehave(codes=[code])
    with pytest.raises(TemporaryError) as raised:
        driver.send(outgoing())
    assert raised.value.delay > 0
    assert sent() == []


@pytest.mark.parametrize("code", sorted(FINAL | {132001, 132015, 131030}))
def test_what_is_final_is_told_with_a_reason(driver, graph, sent, code):
    graph.misbehave(codes=[code])
    with pytest.raises(PermanentError) as raised:
        driver.send(outgoing())
    assert raised.value.code == str(code)
    assert raised.value.reason.endswith(".")
    assert sent() == []


def test_the_table_agrees_with_meta_on_what_may_be_tried_again():
    again = {code for code, rule in RULES.items() if rule.action is not Action.NEVER}
    assert again == RETRIED
    assert FINAL <= RULES.keys() - again
    assert all(rule.delay > 0 for code, rule in RULES.items() if code in again)


def test_meta_s_own_words_are_kept_as_far_as_the_store_takes_them():
    error = from_code(139999, details="\x00" + "x" * 1000)
    assert len(error.reason) == 500
    assert error.reason.startswith("\ufffdx")


def test_a_code_of_tomorrow_is_final_and_keeps_meta_s_words(driver, graph):
    graph.misbehave(codes=[139999])
    with pytest.raises(PermanentError) as raised:
        driver.send(outgoing())
    assert (raised.value.code, raised.value.reason) == ("139999", "As ordered by a test.")


@pytest.mark.parametrize("fault", ["lost_answers", "broken_answers", "bare_errors"])
def test_what_may_have_gone_out_is_unknown(driver, graph, sent, fault):
    graph.misbehave(**{fault: 1})
    with pytest.raises(UnknownOutcomeError):
        driver.send(outgoing())
    assert len(sent()) == 1, "it did go out"


@pytest.mark.parametrize("code", sorted(VAGUE))
def test_a_fault_at_meta_s_that_does_not_say_that_nothing_was_sent_is_unknown(
    driver, graph, monkeypatch, code
):
    monkeypatch.setitem(STATUSES, code, 500)
    graph.misbehave(codes=[code])
    with pytest.raises(UnknownOutcomeError):
        driver.send(outgoing())


@pytest.mark.parametrize("code", sorted(VAGUE))
def test_the_same_fault_with_a_4xx_is_tried_again(driver, graph, monkeypatch, code):
    monkeypatch.setitem(STATUSES, code, 400)
    graph.misbehave(codes=[code])
    with pytest.raises(TemporaryError):
        driver.send(outgoing())


def test_a_server_that_refuses_connections_was_sent_nothing(driver, graph, sent):
    graph.go_away()
    with pytest.raises(TemporaryError):
        driver.send(outgoing())
    graph.come_back()
    driver.send(outgoing())
    assert len(sent()) == 1


def test_too_many_to_one_customer_holds_that_customer_only(driver, graph):
    graph.misbehave(codes=[131056])
    with pytest.raises(TemporaryError) as raised:
        driver.send(outgoing())
    assert raised.value.delay == 6
    driver.send(outgoing(2, chat="4915228817386"))


@pytest.mark.parametrize("code", [130429, 80007, 4])
def test_too_many_from_the_number_holds_everyone_without_asking_again(driver, graph, sent, code):
    graph.misbehave(codes=[code])
    with pytest.raises(TemporaryError) as first:
        driver.send(outgoing())
    with pytest.raises(TemporaryError) as second:
        driver.send(outgoing(2, chat="4915228817386"))
    assert 0 < second.value.delay <= first.value.delay
    assert sent() == []


def test_each_new_try_waits_longer_and_the_last_one_is_final(driver, graph):
    graph.misbehave(codes=[1] * MOST_TRIES)
    delays = []
    for _ in range(MOST_TRIES - 1):
        with pytest.raises(TemporaryError) as raised:
            driver.send(outgoing())
        delays.append(raised.value.delay)
    assert delays == [5, 10, 20, 40, 80]
    with pytest.raises(PermanentError) as final:
        driver.send(outgoing())
    assert (final.value.code, final.value.retryable) == ("tries_used_up", True)


def test_tries_are_forgotten_beyond_a_bound():
    kept = Patience(most_remembered=2)
    error = from_code(131000, details=None)
    delays = [kept.judge(outgoing(number), error).delay for number in (1, 2, 3, 1)]
    assert delays == [5, 5, 5, 5]


def test_a_refused_token_is_a_state_with_advice(connect, graph, sink):
    driver = connect(token="wrong")
    eventually(lambda: driver.state() is DriverState.LOGGED_OUT)
    assert "set WHATSAPP_TOKEN" in driver.advice()
    assert sink.states == [DriverState.LOGGED_OUT]
    with pytest.raises(TemporaryError):
        driver.send(outgoing())
    with pytest.raises(AccountError):
        driver.probe()


def test_a_wrong_phone_id_is_named(connect):
    driver = connect(phone_id="123")
    eventually(lambda: driver.state() is DriverState.LOGGED_OUT)
    assert "WHATSAPP_PHONE_ID" in driver.advice()


def test_a_token_that_expires_meanwhile_is_noticed_by_the_next_send(driver, graph, sink):
    graph.misbehave(token_refused=True)
    with pytest.raises(PermanentError) as raised:
        driver.send(outgoing())
    assert (raised.value.code, raised.value.retryable) == ("190", True)
    assert driver.state() is DriverState.LOGGED_OUT
    graph.misbehave(token_refused=False)
    driver.revive()
    eventually(lambda: driver.state() is DriverState.READY)
    assert driver.advice() is None


def test_a_blocked_account_is_banned(driver, graph):
    graph.misbehave(codes=[368])
    with pytest.raises(PermanentError):
        driver.send(outgoing())
    assert driver.state() is DriverState.BANNED
    assert "Account Quality" in driver.advice()


def test_a_server_that_is_away_at_start_is_found_when_it_comes(connect, graph):
    graph.go_away()
    driver = connect()
    eventually(lambda: driver.advice())
    assert driver.state() is DriverState.STARTING
    graph.come_back()
    eventually(lambda: driver.state() is DriverState.READY)


def test_reviving_does_not_cut_a_send_that_is_under_way(driver, graph):
    graph.misbehave(stall=0.5)
    outcome: list[str] = []
    sending = threading.Thread(target=lambda: outcome.append(driver.send(outgoing())))
    sending.start()
    eventually(lambda: graph.account.entries())
    driver.revive()
    sending.join(10)
    assert outcome == [graph.account.entries()[0]["wamid"]]


def test_disconnecting_waits_a_moment_for_a_send_and_no_longer(driver, graph):
    graph.misbehave(stall=20.0)
    outcome: list[Exception] = []

    def send() -> None:
        with pytest.raises(UnknownOutcomeError) as raised:
            driver.send(outgoing())
        outcome.append(raised.value)

    sending = threading.Thread(target=send)
    sending.start()
    eventually(lambda: graph.account.entries())
    started = time.monotonic()
    driver.disconnect()
    assert time.monotonic() - started < 2
    graph.go_away()
    sending.join(10)
    assert len(outcome) == 1, "it went out, and nobody can know"
