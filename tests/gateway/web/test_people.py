"""Who this shop has to do with: whose pictures are kept, and where read receipts go."""

import pytest

from gateway.drivers.base import MarksRead, TemporaryError
from gateway.drivers.events import Outgoing
from gateway.drivers.web.addresses import Customer
from gateway.drivers.web.line import Address
from gateway.drivers.web.people import MAX_MET, People
from tests.gateway.web.far_side import LID, PHONE
from tests.kit.waiting import eventually

STRANGER = "60111111111"


@pytest.fixture
def hello(write):
    return write.message({"conversation": "hello"})


def picture(write, jid, version: int = 7):
    return write.protos.Picture(JID=jid, Timestamp=version, Remove=False)


def test_a_new_picture_is_told_with_what_fetches_it(line, sink, write, protos, hello):
    line.tell(hello)
    line.tell(protos.Picture(JID=write.jid("1203", "g.us"), Timestamp=5, Remove=False))
    line.tell(protos.Picture(JID=write.jid(PHONE), Timestamp=6, Remove=True))
    line.tell(picture(write, write.jid(PHONE)))
    (told,) = eventually(lambda: sink.pictures)
    assert told.chat == PHONE
    assert told.media is not None and PHONE in told.media.reference


def test_pictures_of_the_rest_of_the_phones_address_book_are_left_out(line, sink, write, hello):
    line.tell(write.receipt("READ", source=write.source(write.jid(STRANGER))))
    line.tell(
        write.message({"conversation": "x"}, write.source(write.jid("60122222222"), IsFromMe=True))
    )
    for phone in (STRANGER, "60122222222", PHONE):
        line.tell(picture(write, write.jid(phone)))
    line.tell(hello)
    line.tell(picture(write, write.jid(PHONE), version=8))
    (told,) = eventually(lambda: sink.pictures)
    assert '"version": 8' in told.media.reference


def test_a_picture_of_someone_we_wrote_to_is_told(line, sink, driver, write):
    driver.send(Outgoing(backend_message_id=1, attempt=1, chat=PHONE, text="hello"))
    line.tell(picture(write, write.jid(PHONE)))
    assert eventually(lambda: sink.pictures)[0].chat == PHONE


def test_a_customer_is_known_by_phone_and_by_lid(line, sink, write, far_side):
    far_side.phones[LID] = PHONE
    line.tell(write.message({"conversation": "hi"}, write.source(write.lid())))
    eventually(lambda: sink.inbounds)
    far_side.phones.clear()
    line.tell(picture(write, write.lid()))
    line.tell(picture(write, write.jid(PHONE)))
    eventually(lambda: len(sink.pictures) == 2)
    assert [told.chat for told in sink.pictures] == [f"{LID}@lid", PHONE]


def test_our_own_picture_is_nobodys(line, sink, driver, write, far_side, hello):
    far_side.own = [Address(user=STRANGER, server="s.whatsapp.net")]
    driver.send(Outgoing(backend_message_id=1, attempt=1, chat=PHONE, text="hello"))
    far_side.users[STRANGER] = far_side.own[0]
    driver.send(Outgoing(backend_message_id=2, attempt=1, chat=STRANGER, text="a note to self"))
    line.tell(picture(write, write.jid(STRANGER)))
    line.tell(picture(write, write.jid(PHONE)))
    (told,) = eventually(lambda: sink.pictures)
    assert told.chat == PHONE


def test_a_read_receipt_goes_where_the_messages_came_from(line, sink, write, driver, far_side):
    assert isinstance(driver, MarksRead)
    line.tell(
        write.message({"conversation": "hi"}, write.source(write.lid(), alt=write.jid(PHONE)))
    )
    eventually(lambda: sink.inbounds)
    driver.mark_read(PHONE, ["3A0001", "3A0002"])
    driver.mark_read(STRANGER, ["3A0003"])
    driver.mark_read(f"{LID}1@lid", ["3A0004"])
    assert far_side.read == [
        (Address(user=LID, server="lid"), ["3A0001", "3A0002"]),
        (Address(user=STRANGER, server="s.whatsapp.net"), ["3A0003"]),
        (Address(user=f"{LID}1", server="lid"), ["3A0004"]),
    ]


def test_writing_to_a_customer_does_not_forget_where_they_write_from(
    line, sink, write, driver, far_side
):
    line.tell(
        write.message({"conversation": "hi"}, write.source(write.lid(), alt=write.jid(PHONE)))
    )
    eventually(lambda: sink.inbounds)
    driver.send(Outgoing(backend_message_id=1, attempt=1, chat=PHONE, text="hello"))
    driver.mark_read(PHONE, ["3A0001"])
    assert far_side.read == [(Address(user=LID, server="lid"), ["3A0001"])]


def test_ids_that_the_library_would_take_for_several_are_left_out(line, driver, far_side):
    driver.mark_read(PHONE, ["A B", "3A0001", "\n"])
    driver.mark_read(PHONE, ["A B"])
    assert [ids for _, ids in far_side.read] == [["3A0001"]]


def test_a_read_receipt_that_cannot_be_given_may_be_tried_again(line, driver, far_side):
    far_side.words = "websocket not connected"
    with pytest.raises(TemporaryError):
        driver.mark_read(PHONE, ["3A0001"])


def test_without_a_connection_there_is_no_read_receipt(driver):
    with pytest.raises(TemporaryError, match="not connected"):
        driver.mark_read(PHONE, ["3A0001"])


def test_the_longest_silent_are_forgotten_first():
    people = People()
    for number in range(MAX_MET):
        people.write_to(str(number))
    people.write_to("0")
    people.write_to("one more")
    met = [people.has_met(Customer(chat=chat)) for chat in ("0", "1", "one more")]
    assert met == [True, False, True]
