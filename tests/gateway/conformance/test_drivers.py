"""What the gateway relies on in every driver."""

import threading
import time

import pytest

from gateway.clock import now
from gateway.drivers.base import (
    DriverError,
    DriverState,
    PermanentError,
    TemporaryError,
    UnreadableError,
)
from gateway.drivers.events import ACK_DELIVERED, ACK_READ, Inbound, Outgoing, Receipt
from tests.kit.waiting import eventually

PHONE, OTHER = "60123456789", "4915228817386"
TEXT = "Grüße, 你好 👋🏽\n\n*bold* _it_ ~no~ `x` @60123456789 <b>&amp;</b> https://a.example \t end"


def outgoing(number: int = 1, **more: object) -> Outgoing:
    fields = {"backend_message_id": number, "attempt": 1, "chat": PHONE, "text": "hello"}
    return Outgoing(**fields | more)


def test_it_becomes_ready_and_says_so(driver, sink):
    assert driver.state() is DriverState.STARTING
    driver.connect(sink)
    eventually(lambda: driver.state() is DriverState.READY)
    eventually(lambda: sink.states[-1:] == [DriverState.READY])
    assert (driver.qr(), driver.advice()) == (None, None)


def test_connecting_returns_at_once_even_with_nobody_there(far_side, driver, sink):
    far_side.go_away()
    started = time.monotonic()
    driver.connect(sink)
    assert time.monotonic() - started < 2
    far_side.come_back()
    eventually(lambda: driver.state() is DriverState.READY)


@pytest.mark.parametrize("text", ["hello", TEXT, "x" * 4096], ids=["plain", "odd", "long"])
def test_a_text_arrives_exactly_as_it_was_sent(connected, far_side, text):
    whatsapp_id = connected.send(outgoing(text=text))
    (received,) = eventually(far_side.received)
    assert (received.to, received.text) == (PHONE, text)
    assert received.whatsapp_id == whatsapp_id


def test_messages_of_several_threads_all_arrive_once(connected, far_side):
    def send(first: int) -> None:
        for number in range(first, first + 10):
            connected.send(outgoing(number, chat=str(60_100_000_000 + first), text=str(number)))

    threads = [threading.Thread(target=send, args=(first,)) for first in (10, 20, 30, 40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    received = far_side.received()
    assert sorted(message.text for message in received) == [str(n) for n in range(10, 50)]
    assert len({message.whatsapp_id for message in received}) == 40


def test_a_driver_that_says_it_is_idempotent_sends_a_repeat_once(connected, far_side):
    first = connected.send(outgoing())
    if connected.idempotent:
        assert connected.send(outgoing()) == first
    assert [message.whatsapp_id for message in far_side.received()] == [first]


def test_a_customer_s_text_comes_in_exactly_as_written(connected, far_side, sink):
    far_side.customer_writes(PHONE, TEXT, "Ann")
    (event,) = eventually(lambda: sink.of(Inbound))
    assert (event.chat, event.text, event.name) == (PHONE, TEXT, "Ann")
    assert event.whatsapp_id
    assert abs(event.at - now()) < 60


def test_a_customer_s_texts_come_in_in_order(connected, far_side, sink):
    for number in range(10):
        far_side.customer_writes(PHONE, str(number), "Ann")
    eventually(lambda: len(sink.of(Inbound)) == 10)
    assert [event.text for event in sink.of(Inbound)] == [str(number) for number in range(10)]
    assert len({event.whatsapp_id for event in sink.of(Inbound)}) == 10


def test_delivered_and_read_are_told_with_whatsapp_s_id(connected, far_side, sink):
    whatsapp_id = connected.send(outgoing())
    for ack, happen in ((ACK_DELIVERED, far_side.delivers), (ACK_READ, far_side.reads)):
        happen(whatsapp_id)
        told = eventually(lambda ack=ack: [event for event in sink.of(Receipt) if event.ack == ack])
        assert {(event.chat, event.whatsapp_id) for event in told} == {(PHONE, whatsapp_id)}


def test_a_refusal_for_good_says_why_and_sends_nothing(connected, far_side):
    far_side.refuse(PHONE)
    with pytest.raises(PermanentError) as raised:
        connected.send(outgoing())
    assert raised.value.code
    assert raised.value.reason.endswith(".")
    assert far_side.received() == []
    connected.send(outgoing(2, chat=OTHER))


def test_while_the_far_side_is_away_nothing_is_sent_and_it_may_be_tried_again(connected, far_side):
    far_side.go_away()
    with pytest.raises(TemporaryError) as raised:
        connected.send(outgoing())
    assert 0 < raised.value.delay <= 60
    assert far_side.received() == []
    far_side.come_back()
    eventually(lambda: connected.state() is DriverState.READY)
    connected.send(outgoing())
    assert len(eventually(far_side.received)) == 1


def test_a_probe_tells_a_living_connection_from_a_dead_one(connected, far_side):
    connected.probe()
    far_side.go_away()
    started = time.monotonic()
    with pytest.raises(DriverError):
        connected.probe()
    assert time.monotonic() - started < 20
    far_side.come_back()
    eventually(lambda: connected.state() is DriverState.READY)
    connected.probe()


def test_a_revived_connection_sends_again(connected, far_side):
    connected.revive()
    eventually(lambda: connected.state() is DriverState.READY)
    connected.send(outgoing())
    assert len(eventually(far_side.received)) == 1


def test_before_it_is_connected_nothing_is_sent(driver, far_side):
    with pytest.raises(TemporaryError):
        driver.send(outgoing())
    assert far_side.received() == []


def test_disconnecting_ends_quickly_and_for_good(connected, far_side):
    started = time.monotonic()
    connected.disconnect()
    assert time.monotonic() - started < 2
    with pytest.raises(DriverError):
        connected.send(outgoing())
    assert far_side.received() == []


@pytest.mark.parametrize("raw", ["", "{}", "[]", "not JSON", '{"entry": [5]}'])
def test_an_update_of_someone_else_is_unreadable(connected, raw):
    with pytest.raises(UnreadableError):
        connected.read_update(raw)


def test_a_file_that_is_not_there_is_an_error_and_no_empty_file(connected):
    with pytest.raises(DriverError):
        list(connected.fetch_media("1"))


def test_templates_are_a_list_or_a_reason(connected):
    try:
        assert list(connected.templates()) == []
    except DriverError as error:
        assert str(error)
