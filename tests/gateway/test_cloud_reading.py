"""Webhook updates in the shapes that Meta documents, and what they are read as."""

import json

import pytest

from gateway.drivers.base import UnreadableError
from gateway.drivers.cloud.reading import read_update
from gateway.drivers.events import Failure, Inbound, Media, MediaKind, Receipt, SendId
from tests.kit.graph_account import BUSINESS_ID, PHONE_ID

CUSTOMER = "16505551234"
AT = 1749416383
CONTACT = {"profile": {"name": "Sheena Nelson"}, "wa_id": CUSTOMER}
WAMID = "wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTRBNjU5OUFFRTAzODEwMTQ0RgA="


def change(phone_id: str = PHONE_ID, field: str = "messages", **value: object) -> dict:
    metadata = {"display_phone_number": "15550783881", "phone_number_id": phone_id}
    full = {"messaging_product": "whatsapp", "metadata": metadata, **value}
    return {"field": field, "value": full}


def update(*changes: dict) -> str:
    entries = [{"id": BUSINESS_ID, "changes": [one]} for one in changes]
    return json.dumps({"object": "whatsapp_business_account", "entry": entries})


def message(kind: str = "text", content: object = None, **more: object) -> dict:
    content = {"body": "Does it come in another color?"} if content is None else content
    base = {"from": CUSTOMER, "id": WAMID, "timestamp": str(AT), "type": kind, kind: content}
    return base | more


def status(kind: str, **more: object) -> dict:
    base = {"id": WAMID, "status": kind, "timestamp": str(AT), "recipient_id": CUSTOMER}
    return base | more


def read(*changes: dict) -> list:
    return read_update(update(*changes), phone_id=PHONE_ID)


def read_text(kind: str, content: object) -> str:
    (event,) = read(change(contacts=[CONTACT], messages=[message(kind, content)]))
    return event.text


def test_a_text_is_read_with_its_name_time_and_window():
    (event,) = read(change(contacts=[CONTACT], messages=[message()]))
    assert event == Inbound(
        chat=CUSTOMER,
        text="Does it come in another color?",
        name="Sheena Nelson",
        whatsapp_id=WAMID,
        at=AT,
        window_closes_at=AT + 24 * 3600,
    )


@pytest.mark.parametrize(
    ("kind", "content", "text"),
    [
        ("image", {"id": "1", "mime_type": "image/jpeg", "caption": "Taj"}, "Taj"),
        ("image", {"id": "1", "mime_type": "image/jpeg"}, "[image]"),
        ("audio", {"id": "1", "mime_type": "audio/ogg", "voice": True}, "[voice message]"),
        ("audio", {"id": "1", "mime_type": "audio/mpeg", "voice": False}, "[audio]"),
        ("document", {"id": "1", "filename": "bill.pdf"}, "[document: bill.pdf]"),
        ("sticker", {"id": "1", "mime_type": "image/webp"}, "[sticker]"),
        ("reaction", {"message_id": WAMID, "emoji": "👍"}, "[reacted with 👍]"),
        ("reaction", {"message_id": WAMID}, "[took a reaction back]"),
        ("button", {"payload": "STOP", "text": "Stop it"}, "Stop it"),
        (
            "interactive",
            {"type": "button_reply", "button_reply": {"id": "1", "title": "Yes"}},
            "Yes",
        ),
        (
            "interactive",
            {
                "type": "list_reply",
                "list_reply": {"id": "1", "title": "Priority", "description": "1–2 days"},
            },
            "Priority (1–2 days)",
        ),
        (
            "interactive",
            {"type": "nfm_reply", "nfm_reply": {"name": "flow", "body": "Sent"}},
            "Sent",
        ),
        ("location", {"latitude": 37.4, "longitude": -122.1}, "[location] 37.4, -122.1"),
        (
            "location",
            {"latitude": 1, "longitude": 2, "name": "Phil's", "address": "1 Main St"},
            "[location] Phil's, 1 Main St (1, 2)",
        ),
        (
            "contacts",
            [{"name": {"formatted_name": "Barb"}, "phones": [{"phone": "+1 555"}]}],
            "[contact] Barb +1 555",
        ),
        (
            "order",
            {
                "catalog_id": "1",
                "text": "please",
                "product_items": [
                    {
                        "product_retailer_id": "di9o",
                        "quantity": 2,
                        "item_price": 30,
                        "currency": "USD",
                    }
                ],
            },
            "[order]\n2 × di9o (30 USD)\nplease",
        ),
        ("system", {"body": "User A changed", "type": "x"}, "[system] User A changed"),
        (
            "edit",
            {
                "original_message_id": WAMID,
                "message": {"type": "text", "text": {"body": "new"}},
            },
            "[edited] new",
        ),
        ("revoke", {"original_message_id": WAMID}, "[deleted a message]"),
        ("unsupported", {"type": "poll"}, "[a message of a kind that WhatsApp does not pass on]"),
        ("poll_of_the_future", {"a": 1}, "[poll_of_the_future]"),
    ],
)
def test_every_kind_of_message_has_a_text(kind, content, text):
    assert read_text(kind, content) == text


def test_an_unsupported_message_without_content_is_still_read():
    errors = [{"code": 131051, "title": "Message type unknown"}]
    broken = message("unsupported", None, errors=errors)
    del broken["unsupported"]
    (event,) = read(change(contacts=[CONTACT], messages=[broken]))
    assert event.text.startswith("[")


def test_a_file_s_reference_is_meta_s_id():
    content = {"id": "1003383421387256", "mime_type": "application/pdf", "filename": "bill.pdf"}
    (event,) = read(change(contacts=[CONTACT], messages=[message("document", content)]))
    assert event.media == Media(
        kind=MediaKind.DOCUMENT,
        mime="application/pdf",
        reference="1003383421387256",
        file_name="bill.pdf",
    )


def test_a_reply_is_read_as_its_text():
    context = {"from": "15550783881", "id": WAMID}
    (event,) = read(change(contacts=[CONTACT], messages=[message(context=context)]))
    assert event.text == "Does it come in another color?"


def test_a_message_without_contacts_or_user_id_is_not_dropped():
    (event,) = read(change(messages=[message()]))
    assert (event.chat, event.name) == (CUSTOMER, None)


def test_each_message_gets_the_name_of_its_own_contact():
    other = message(id="wamid.2") | {"from": "491522881738"}
    contacts = [{"profile": {"name": "Other"}, "wa_id": "491522881738"}, CONTACT]
    events = read(change(contacts=contacts, messages=[message(), other]))
    assert [event.name for event in events] == ["Sheena Nelson", "Other"]


def test_every_entry_change_message_and_status_of_a_batch_is_read():
    batch = [
        change(
            contacts=[CONTACT],
            messages=[message(id=f"wamid.{n}{m}") for m in range(2)],
            statuses=[status("read", id=f"wamid.s{n}{m}") for m in range(3)],
        )
        for n in range(2)
    ]
    events = read(*batch)
    names = [name for n in range(2) for name in (f"{n}0", f"{n}1", f"s{n}0", f"s{n}1", f"s{n}2")]
    assert [event.whatsapp_id for event in events] == [f"wamid.{name}" for name in names]


@pytest.mark.parametrize(
    ("kind", "ack"), [("sent", 1), ("delivered", 2), ("read", 3), ("played", 4)]
)
def test_a_status_is_a_receipt_with_our_own_ids(kind, ack):
    (event,) = read(change(statuses=[status(kind, biz_opaque_callback_data="backend:17:2")]))
    assert event == Receipt(
        chat=CUSTOMER,
        whatsapp_id=WAMID,
        ack=ack,
        at=AT,
        send=SendId(backend_message_id=17, attempt=2),
    )


@pytest.mark.parametrize(
    "tracker", [None, "", "other:1:2", "backend:x:1", "backend:1", "backend:1:2 "]
)
def test_a_foreign_tracker_is_nobody_s(tracker):
    (event,) = read(change(statuses=[status("sent", biz_opaque_callback_data=tracker)]))
    assert event.send is None


def test_a_failed_status_says_why_in_our_words():
    errors = [
        {
            "code": 131049,
            "title": "Not delivered to maintain healthy ecosystem engagement.",
            "message": "…",
            "error_data": {"details": "In order to maintain…"},
        }
    ]
    (event,) = read(change(statuses=[status("failed", errors=errors)]))
    assert isinstance(event, Failure)
    assert (event.code, event.retryable) == ("131049", True)
    assert event.reason.startswith("WhatsApp kept this message back")


def test_a_failure_of_an_unknown_code_keeps_meta_s_words():
    errors = [{"code": 199999, "title": "New", "error_data": {"details": "A new reason"}}]
    (event,) = read(change(statuses=[status("failed", errors=errors)]))
    assert (event.code, event.reason) == ("199999", "A new reason")
    (bare,) = read(change(statuses=[status("failed")]))
    assert (bare.code, bare.reason) == (
        "failed",
        "WhatsApp gave up on it without saying why.",
    )


def test_a_status_without_a_recipient_is_not_lost():
    bare = status("delivered")
    del bare["recipient_id"]
    (event,) = read(change(statuses=[bare]))
    assert event.whatsapp_id == WAMID


def test_what_is_not_a_customer_s_message_to_our_number_is_left_out():
    assert read(change("999", messages=[message()])) == []
    assert read(change(field="account_update", event="VERIFIED_ACCOUNT")) == []
    assert read(change(messages=[message(group_id="Y2FwaV9ncm91cDo")])) == []
    assert read(change(statuses=[status("read", recipient_type="group")])) == []
    assert read(change(statuses=[status("warning")])) == []


def test_one_broken_part_does_not_hide_the_others():
    nameless = {"id": "wamid.1", "timestamp": "1", "type": "text", "text": {"body": "hi"}}
    with pytest.raises(UnreadableError) as raised:
        read(change(messages=[nameless, message()], statuses=[{"status": "read"}, status("read")]))
    assert [event.whatsapp_id for event in raised.value.events] == [WAMID, WAMID]


@pytest.mark.parametrize("raw", ["", "{", "[]", "{}", "null", '{"entry": 5}', "[" * 100_000])
def test_what_is_no_update_is_unreadable(raw):
    with pytest.raises(UnreadableError):
        read_update(raw, phone_id=PHONE_ID)


@pytest.mark.parametrize("timestamp", ["soon", "9" * 400, None])
def test_an_unreadable_time_is_no_reason_to_lose_a_message(timestamp):
    (event,) = read(change(messages=[message(timestamp=timestamp)]))
    assert event.at > AT
