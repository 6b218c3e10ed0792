"""Customers' messages, receipts and pictures, from neonize's own event objects."""

import pytest
import structlog

from tests.gateway.web.far_side import LID, PHONE
from tests.kit.waiting import eventually

PLACE = {"degreesLatitude": 3.139, "degreesLongitude": 101.6869, "name": "Shop"}
VCARD = "BEGIN:VCARD\nFN:Ben\nitem1.TEL;waid=60111:+60 11-1\nEND:VCARD"
TEXTS = [
    ({"conversation": "hello @60123456789"}, "hello @60123456789"),
    ({"extendedTextMessage": {"text": "see https://example.com"}}, "see https://example.com"),
    ({"imageMessage": {"caption": "this one?", "mimetype": "image/jpeg"}}, "this one?"),
    ({"imageMessage": {"mimetype": "image/jpeg"}}, "[image]"),
    ({"audioMessage": {"mimetype": "audio/ogg", "PTT": True}}, "[audio]"),
    ({"documentMessage": {"fileName": "order.pdf"}}, "order.pdf"),
    ({"reactionMessage": {"text": "👍"}}, "[reaction] 👍"),
    ({"buttonsResponseMessage": {"selectedDisplayText": "Yes", "selectedButtonID": "y"}}, "Yes"),
    ({"templateButtonReplyMessage": {"selectedID": "later"}}, "later"),
    ({"listResponseMessage": {"title": "Size M"}}, "Size M"),
    ({"listResponseMessage": {"singleSelectReply": {"selectedRowID": "m"}}}, "m"),
    (
        {"locationMessage": PLACE},
        "[location]\nShop\nhttps://maps.google.com/?q=3.139000,101.686900",
    ),
    ({"contactMessage": {"displayName": "Ben", "vcard": VCARD}}, "[contact] Ben +60 11-1"),
    (
        {"pollCreationMessageV3": {"name": "When?", "options": [{"optionName": "Monday"}]}},
        "[poll] When?\n- Monday",
    ),
    ({"viewOnceMessageV2": {"message": {"imageMessage": {"caption": "once"}}}}, "once"),
    ({"ephemeralMessage": {"message": {"conversation": "gone soon"}}}, "gone soon"),
    (
        {"protocolMessage": {"type": 14, "editedMessage": {"conversation": "I mean two"}}},
        "[edited] I mean two",
    ),
    (
        {"sendPaymentMessage": {"noteMessage": {"conversation": "x"}}},
        "[A message that this inbox cannot show; look at the phone]",
    ),
]


@pytest.mark.parametrize(("content", "text"), TEXTS)
def test_every_kind_of_message_has_a_sensible_text(line, sink, write, content, text):
    line.tell(write.message(content))
    (inbound,) = eventually(lambda: sink.inbounds)
    assert inbound.text == text
    assert (inbound.chat, inbound.name) == (PHONE, "Amara")
    assert (inbound.whatsapp_id, inbound.at) == ("3A0001", 1_758_636_343.0)


@pytest.mark.parametrize(
    "content",
    [
        {"protocolMessage": {"type": 0}},
        {"senderKeyDistributionMessage": {"groupID": "1@g.us"}},
        {"reactionMessage": {"text": ""}},
        {"albumMessage": {"expectedImageCount": 2}},
        {},
    ],
)
def test_bookkeeping_between_programs_is_nobodys_message(line, sink, write, content):
    line.tell(write.message(content))
    line.tell(write.message({"conversation": "after"}))
    eventually(lambda: sink.inbounds)
    assert [inbound.text for inbound in sink.inbounds] == ["after"]


def test_groups_status_channels_bots_echoes_and_history_are_no_customers(line, sink, write, protos):
    group = write.source(write.jid("1203", "g.us"), Sender=write.jid(PHONE), IsGroup=True)
    strangers = [
        group,
        write.source(write.jid("status", "broadcast"), Sender=write.jid(PHONE), IsGroup=True),
        write.source(write.jid("1204", "newsletter")),
        write.source(write.jid("867", "bot")),
        write.source(write.jid("0")),
        write.source(IsFromMe=True),
    ]
    for source in strangers:
        line.tell(write.message({"conversation": "not for us"}, source))
    old = write.message({"conversation": "from the history"})
    old.SourceWebMsg.key.ID = "3A0001"
    line.tell(old)
    line.tell(write.message({"conversation": "for us"}))
    eventually(lambda: sink.inbounds)
    assert [inbound.text for inbound in sink.inbounds] == ["for us"]


def test_a_lid_and_its_phone_are_told_together(line, sink, write):
    line.tell(
        write.message({"conversation": "hi"}, write.source(write.lid(), alt=write.jid(PHONE)))
    )
    (inbound,) = eventually(lambda: sink.inbounds)
    assert (inbound.chat, inbound.lid) == (PHONE, LID)


def test_the_phone_behind_a_lid_is_looked_up(line, sink, write, far_side):
    far_side.phones[LID] = PHONE
    line.tell(write.message({"conversation": "hi"}, write.source(write.lid())))
    line.tell(write.message({"conversation": "hi"}, write.source(write.jid(PHONE))))
    eventually(lambda: len(sink.inbounds) == 2)
    assert {(inbound.chat, inbound.lid) for inbound in sink.inbounds} == {(PHONE, LID)}


def test_a_lid_without_a_known_phone_is_never_passed_off_as_one(line, sink, write):
    line.tell(write.message({"conversation": "hi"}, write.source(write.lid())))
    (inbound,) = eventually(lambda: sink.inbounds)
    assert (inbound.chat, inbound.lid) == (f"{LID}@lid", None)


def test_a_message_only_the_phone_can_show_is_said_to_be_there(line, sink, write, protos):
    info = write.message({}).Info
    line.tell(protos.UndecryptableMessage(Info=info, IsUnavailable=False))
    line.tell(protos.UndecryptableMessage(Info=info, IsUnavailable=True))
    (inbound,) = eventually(lambda: sink.inbounds)
    assert inbound.text == "[A message that only the phone can show]"


@pytest.mark.parametrize(("kind", "ack"), [("DELIVERED", 2), ("READ", 3), ("PLAYED", 4)])
def test_a_receipt_names_each_message_that_it_is_for(line, sink, write, kind, ack):
    line.tell(write.receipt(kind, "3EB0001", "3EB0002"))
    eventually(lambda: len(sink.receipts) == 2)
    assert [receipt.whatsapp_id for receipt in sink.receipts] == ["3EB0001", "3EB0002"]
    assert {(receipt.ack, receipt.chat) for receipt in sink.receipts} == {(ack, PHONE)}
    assert sink.receipts[0].at == 1_758_636_400.0


def test_receipts_of_our_own_devices_and_unknown_ones_prove_nothing(line, sink, write):
    for kind in ("READ_SELF", "PLAYED_SELF", "SENDER", "RETRY", "SERVER_ERROR", "INACTIVE", None):
        line.tell(write.receipt(kind))
    line.tell(write.receipt("READ", source=write.source(IsFromMe=True)))
    line.tell(write.receipt("READ", source=write.source(write.jid("1203", "g.us"), IsGroup=True)))
    line.tell(write.receipt("READ", "3EB0009"))
    eventually(lambda: sink.receipts)
    assert [receipt.whatsapp_id for receipt in sink.receipts] == ["3EB0009"]


def test_what_a_store_that_is_away_cannot_take_is_told_again_in_order(line, sink, write):
    sink.away = 2
    for number in range(3):
        line.tell(write.message({"conversation": str(number)}))
    eventually(lambda: len(sink.inbounds) == 3)
    assert [inbound.text for inbound in sink.inbounds] == ["0", "1", "2"]


@pytest.mark.parametrize("field", ["image/jpeg", "3A0001"])
def test_what_can_never_be_stored_does_not_hold_up_what_comes_after(line, sink, write, field):
    sink.unstorable.add(field)
    line.tell(write.message({"imageMessage": write.file(caption="this one?")}))
    line.tell(write.receipt("READ", "3EB0001"))
    eventually(lambda: sink.receipts)
    stored = [(inbound.text, inbound.media) for inbound in sink.inbounds]
    assert stored == ([("this one?", None)] if field == "image/jpeg" else [])
    assert len(sink.refused) == (1 if field == "image/jpeg" else 2)


def test_a_receipt_that_can_never_be_stored_is_left_out(line, sink, write):
    sink.unstorable.add("A" * 200)
    line.tell(write.receipt("READ", "A" * 200, "3EB0001"))
    eventually(lambda: sink.receipts)
    assert [receipt.whatsapp_id for receipt in sink.receipts] == ["3EB0001"]


def test_the_log_says_which_message_was_not_stored_and_nothing_of_what_it_says(
    line, sink, write, caplog
):
    sink.unstorable.add("a secret")
    with structlog.testing.capture_logs() as lines:
        line.tell(write.message({"conversation": "a secret"}))
        eventually(lambda: sink.refused and lines)
    assert lines[0]["event"] == "event_not_storable"
    assert (lines[0]["whatsapp_id"], lines[0]["error"]) == ("3A0001", "OverflowError")
    assert "secret" not in str(lines) + caplog.text
