"""Addresses, texts, pauses, the timeline, and which driver a setting means."""

import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from gateway.backoff import LONGEST_PAUSE, parse_retry_after, pause_before
from gateway.chats import address_fields, parse_chat
from gateway.clock import to_iso
from gateway.drivers.events import Inbound, Media, MediaKind
from gateway.drivers.simulator.timeline import Timeline
from gateway.notices import inbox_notice


@pytest.mark.parametrize(
    ("given", "chat"),
    [
        ("60123456789", "60123456789"),
        (" +60 12-345 6789 ", "60123456789"),
        ("60123456789@c.us", "60123456789"),
        ("123456789012345678@lid", "123456789012345678@lid"),
        ("12345", "12345"),
    ],
)
def test_an_address_is_stripped_to_its_digits(given, chat):
    assert parse_chat(given) == chat


@pytest.mark.parametrize(
    ("text", "media", "content"),
    [
        ("", None, "[empty message]"),
        (" \n\u2003", None, "[empty message]"),
        ("  ", Media(kind=MediaKind.IMAGE, mime="image/png", reference="r"), "[image]"),
        (
            "",
            Media(kind=MediaKind.DOCUMENT, mime="x/y", reference="r", file_name="bill.pdf"),
            "[document: bill.pdf]",
        ),
        (" hi ", None, " hi "),
    ],
)
def test_a_text_without_a_sign_in_it_is_named_since_the_backend_takes_no_blank_one(
    text, media, content
):
    event = Inbound(chat="60123456789", text=text, name=None, whatsapp_id="A", at=1.0, media=media)
    assert inbox_notice(event).body["content"] == content


@pytest.mark.parametrize("given", ["", "1234", "1" * 16, "abc", "@lid", "12345@lid@lid", "1234５"])
def test_what_is_no_address_is_refused(given):
    with pytest.raises(ValueError, match="5 to 15 digits"):
        parse_chat(given)


def test_a_phone_and_a_lid_are_told_apart():
    assert address_fields("12345") == {"phone": "12345"}
    assert address_fields("12345@lid") == {"lid": "12345"}


def test_pauses_double_up_to_a_ceiling_and_are_never_zero():
    for tries in (1, 2, 5, 50, 10_000):
        assert 0.25 <= pause_before(tries) <= LONGEST_PAUSE
    assert pause_before(1) <= 0.5
    assert pause_before(10_000) >= LONGEST_PAUSE / 2


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(None, 0), ("", 0), ("3", 3), ("-5", 0), ("99999", LONGEST_PAUSE), ("soon", 0), ("nan", 0)],
)
def test_retry_after_is_believed_within_reason(value, seconds):
    assert parse_retry_after(value) == seconds


def test_retry_after_may_be_a_date():
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=9), usegmt=True)
    assert 5 < parse_retry_after(date) <= 9


def test_times_are_written_as_in_the_contract():
    assert to_iso(1758636343.0) == "2025-09-23T14:05:43.000000"


def test_what_fails_on_the_timeline_is_tried_again():
    timeline, done, tries = Timeline(), threading.Event(), []

    def act() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise RuntimeError
        done.set()

    timeline.start()
    timeline.after(0, act)
    assert done.wait(30)
    timeline.stop()
