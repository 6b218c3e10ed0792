"""Customers' messages, receipts and pictures, from neonize's own event objects."""

import pytest

from gateway.drivers.events import MediaKind
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


def test_a_file_is_described_without_its_thumbnail_and_can_be_fetched_after_a_restart(
    line, sink, write, far_side, driver
):
    image = {
        "mimetype": "image/jpeg",
        "fileLength": 2048,
        "mediaKey": b"k" * 32,
        "directPath": "/v/t62",
        "JPEGThumbnail": b"t" * 100_000,
    }
    line.tell(write.message({"imageMessage": image}))
    (inbound,) = eventually(lambda: sink.inbounds)
    media = inbound.media
    assert media is not None
    assert (media.kind, media.mime, media.size) == (MediaKind.IMAGE, "image/jpeg", 2048)
    assert len(media.reference) < 1000
    kept = write.message({"imageMessage": {**image, "JPEGThumbnail": b""}})
    kept.Message.imageMessage.ClearField("JPEGThumbnail")
    far_side.files[kept.Message.SerializeToString()] = b"x" * 150_000
    assert b"".join(driver.fetch_media(media.reference)) == b"x" * 150_000


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


def test_a_new_picture_is_told_with_what_fetches_it(line, sink, write, protos):
    line.tell(protos.Picture(JID=write.jid("1203", "g.us"), Timestamp=5, Remove=False))
    line.tell(protos.Picture(JID=write.jid(PHONE), Timestamp=6, Remove=True))
    line.tell(protos.Picture(JID=write.jid(PHONE), Timestamp=7, Remove=False))
    (picture,) = eventually(lambda: sink.pictures)
    assert picture.chat == PHONE
    assert picture.media is not None and PHONE in picture.media.reference


def test_what_the_store_cannot_take_is_told_again_in_order(line, sink, write):
    sink.away = 2
    for number in range(3):
        line.tell(write.message({"conversation": str(number)}))
    eventually(lambda: len(sink.inbounds) == 3)
    assert [inbound.text for inbound in sink.inbounds] == ["0", "1", "2"]
