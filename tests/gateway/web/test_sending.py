"""Sending over a pretend line, and what each complaint of the library means."""

import pytest

from gateway.drivers.base import PermanentError, TemporaryError, UnknownOutcomeError
from gateway.drivers.events import Outgoing, TemplateUse
from gateway.drivers.web.files import judge_download
from gateway.drivers.web.line import Address
from gateway.drivers.web.sending import judge
from tests.gateway.web.far_side import LID, PHONE


def outgoing(chat: str = PHONE, **fields) -> Outgoing:
    return Outgoing(backend_message_id=1, attempt=1, chat=chat, text="hello @60199", **fields)


def test_a_text_is_sent_to_whom_whatsapp_found(line, driver, far_side):
    far_side.users["5511987654321"] = Address(user="551187654321", server="s.whatsapp.net")
    assert driver.send(outgoing("5511987654321")) == "3EB00001"
    assert far_side.sent == [(far_side.users["5511987654321"], "hello @60199")]


def test_a_number_is_looked_up_once(line, driver, far_side):
    for _ in range(3):
        driver.send(outgoing())
    assert far_side.lookups == [PHONE]


def test_a_lid_is_written_to_without_a_look_up(line, driver, far_side):
    driver.send(outgoing(f"{LID}@lid"))
    assert far_side.sent[0][0] == Address(user=LID, server="lid")
    assert far_side.lookups == []


def test_a_number_that_is_not_on_whatsapp_fails_and_may_join_later(line, driver, far_side):
    for _ in range(2):
        with pytest.raises(PermanentError) as refused:
            driver.send(outgoing("60100000000"))
        assert refused.value.code == "not_on_whatsapp"
    assert far_side.lookups == ["60100000000"] * 2


def test_a_template_is_refused(line, driver, far_side):
    with pytest.raises(PermanentError) as refused:
        driver.send(outgoing(template=TemplateUse(name="hi", language="en")))
    assert refused.value.code == "no_templates"
    assert far_side.sent == []


def test_nothing_is_sent_without_a_connection(driver):
    with pytest.raises(TemporaryError):
        driver.send(outgoing())


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("websocket not connected", TemporaryError),
        ("the store doesn't contain a device JID", TemporaryError),
        ("failed to get device list: info query timed out", TemporaryError),
        ("server returned error 429", TemporaryError),
        ("info query returned status 429: rate-overlimit", TemporaryError),
        ("no LID found for … from server", PermanentError),
        ("can't send message to unknown server", PermanentError),
        ("server returned error 463", PermanentError),
        ("timed out waiting for message send response", UnknownOutcomeError),
        ("websocket disconnected before message send returned response", UnknownOutcomeError),
        ("failed to send message node: broken pipe", UnknownOutcomeError),
        ("something new", UnknownOutcomeError),
    ],
)
def test_each_complaint_says_whether_it_may_have_gone_out(words, error):
    assert type(judge(words)) is error


def test_what_whatsapp_refused_may_be_ordered_again_by_an_agent():
    refused = judge("server returned error 463")
    assert isinstance(refused, PermanentError)
    assert (refused.code, refused.retryable) == ("refused_463", True)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("download failed with status code 404", PermanentError),
        ("the user has hidden their profile picture from you", PermanentError),
        ("failed to download media from last host: timeout", TemporaryError),
    ],
)
def test_each_download_error_says_whether_to_try_again(words, error):
    assert type(judge_download(words)) is error


def test_a_reference_of_another_driver_is_refused(line, driver):
    with pytest.raises(PermanentError) as refused:
        list(driver.fetch_media("wamid.1"))
    assert refused.value.code == "no_media"


def test_a_picture_is_fetched_from_https_only(line, driver):
    reference = '{"picture": "60123456789@s.whatsapp.net", "version": 7}'
    with pytest.raises(PermanentError):
        list(driver.fetch_media(reference))
