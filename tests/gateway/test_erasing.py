"""Erasing a chat: nothing of it goes out or is told afterwards, whatever was under way."""

import json

import pytest
from sqlalchemy import func, select

from gateway.app import create_app
from gateway.drivers.base import DriverState, PermanentError, TemporaryError, UnknownOutcomeError
from gateway.drivers.events import Failure, Receipt, SendId
from gateway.recorder import Recorder
from gateway.sender import Sender
from gateway.store.callbacks import find_pending
from gateway.store.sends import change_send, erase_chat, find_attempts
from gateway.store.tables import SendState, metadata, sends
from tests.gateway.conftest import PHONE
from tests.gateway.scripted import ScriptedDriver
from tests.kit.graph_account import make_wamid
from tests.kit.graph_webhooks import Item, make_update
from tests.kit.waiting import eventually

OTHER = "4915228817386"
WAMID = make_wamid(PHONE, "out1")
TOLD = "/messages/"
"""In the path of every callback about a message."""


@pytest.fixture(params=[True, False], ids=["idempotent", "not idempotent"])
def driver(request):
    return ScriptedDriver(idempotent=request.param)


@pytest.fixture
def start(store):
    senders: list[Sender] = []

    def run(driver: ScriptedDriver) -> None:
        is_ready = lambda: driver.state() is DriverState.READY  # noqa: E731
        sender = Sender(store, driver, pace=None, is_ready=is_ready, on_callback=lambda: None)
        senders.append(sender)
        sender.recover()
        sender.start()

    yield run
    for sender in senders:
        sender.stop(5)


@pytest.fixture
def erase(store):
    def run() -> None:
        with store.transaction() as connection:
            erase_chat(connection, PHONE, at=1)

    return run


@pytest.fixture
def sent(queue, store, newest):
    """A message that went out."""
    queue(1)
    with store.transaction() as connection:
        change_send(connection, newest(1).id, state=SendState.SENT, whatsapp_id=WAMID)


@pytest.fixture
def dump(store):
    """All that the store holds, as one text."""

    def run() -> str:
        with store.reading() as connection:
            rows = [connection.execute(select(table)).all() for table in metadata.sorted_tables]
        return repr(rows)

    return run


@pytest.fixture
def under_way(driver, start, queue):
    """A driver that has been given the chat's only send and has not answered yet."""
    driver.released.clear()
    queue(1)
    start(driver)
    eventually(lambda: driver.ids() == [1])
    return driver


@pytest.mark.parametrize(
    "error",
    [
        None,
        TemporaryError("busy", delay=0),
        PermanentError("no_account", "No WhatsApp here."),
        UnknownOutcomeError("cut"),
    ],
)
def test_a_send_that_is_under_way_ends_with_its_customer(under_way, newest, erase, dump, error):
    under_way.script[1] = [] if error is None else [error]
    erase()
    under_way.released.set()
    eventually(lambda: newest(1).code == "erased")
    assert newest(1).state == SendState.FAILED
    assert under_way.ids() == [1]
    assert not any(word in dump() for word in (PHONE, TOLD))


@pytest.mark.parametrize("state", [SendState.SENDING, SendState.QUEUED])
def test_what_was_erased_is_not_sent_after_a_restart(driver, start, queue, newest, store, state):
    queue(1)
    with store.transaction() as connection:
        change_send(connection, newest(1).id, state=state, chat="", text="")
    queue(2, chat=OTHER)
    start(driver)
    eventually(lambda: newest(2).state == SendState.SENT)
    assert (newest(1).state, newest(1).code, driver.ids()) == (SendState.FAILED, "erased", [2])


@pytest.mark.parametrize("ours", [None, SendId(backend_message_id=1, attempt=1)])
@pytest.mark.usefixtures("sent")
def test_a_late_receipt_brings_no_phone_back(store, erase, dump, ours):
    recorder = Recorder(store, on_event=lambda: None, on_state=lambda: None, on_update=lambda: None)
    erase()
    for ack in (1, 2, 3):
        event = Receipt(chat=PHONE, whatsapp_id=WAMID, ack=ack, at=2.0, send=ours)
        recorder.receipt(event)
    why = {"code": "131049", "reason": "Kept back.", "retryable": True}
    recorder.failure(Failure(chat=PHONE, whatsapp_id=WAMID, at=2.0, send=ours, **why))
    assert not any(word in dump() for word in (PHONE, WAMID, TOLD))


@pytest.mark.usefixtures("sent")
def test_an_order_of_an_erased_message_is_neither_sent_nor_told(idle_app, store, erase, dump):
    erase()
    client = idle_app.test_client()
    idle_app.extensions["gateway"].driver.connect(idle_app.extensions["gateway"].recorder)
    order = {"to": PHONE, "message": "x", "backend_message_id": 1, "attempt": 2}
    assert client.post("/send", json=order).status_code == 202
    with store.reading() as connection:
        assert len(find_attempts(connection, 1)) == 1
    assert TOLD not in dump()
    assert client.get("/messages/1").json["whatsapp_id"] is None


def inbound(phone: str, number: int) -> Item:
    part = {"from": phone, "id": make_wamid(phone, f"in{number}"), "timestamp": "1"}
    part |= {"type": "text", "text": {"body": f"of {phone}"}}
    return Item(kind="messages", part=part, due=0, copies=1)


def test_what_was_not_read_yet_goes_with_its_chat_and_loses_nobody_else(
    cloud_settings, store, dump
):
    app = create_app(cloud_settings)
    service = app.extensions["gateway"]
    told_of_nothing = make_update([[]])
    told_of_nothing["about"] = PHONE
    both = make_update([[inbound(PHONE, 1), inbound(OTHER, 2)]])
    for update in (both, make_update([[inbound(OTHER, 3)]]), told_of_nothing):
        service.recorder.update(json.dumps(update))
    assert app.test_client().post("/erase", json={"to": PHONE}).json["erased"] == 2
    with store.reading() as connection:
        told = find_pending(connection, OTHER, limit=9)
        assert connection.scalar(select(func.count(sends.c.id))) == 0
    assert [json.loads(callback.body)["content"] for callback in told] == [f"of {OTHER}"] * 2
    assert PHONE not in dump()
    service.stop()
