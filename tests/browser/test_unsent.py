"""The page of what did not go out, and what is done about a message that perhaps did."""

from itertools import count

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import OpenInbox
from tests.browser.inbox import Inbox
from tests.browser.shop import Customer, Shop
from tests.kit.waiting import eventually

DOUBT = "Nobody knows whether this went out"
SEND_AGAIN = "Send again, it may arrive twice"
_numbers = count(1)


def row(inbox: Inbox, text: str) -> Locator:
    """A message on the page."""
    return inbox.page.get_by_role("listitem").filter(has=inbox.page.get_by_text(text, exact=True))


def retry(inbox: Inbox, text: str) -> None:
    row(inbox, text).get_by_role("button", name="Retry").click()


def told(inbox: Inbox, sentence: str) -> Locator:
    return inbox.page.get_by_role("status").get_by_text(sentence, exact=True)


def test_what_failed_is_sent_by_retry_one_by_one_or_all_at_once(
    shop: Shop, open_inbox: OpenInbox
) -> None:
    sue, texts = shop.customer("Sue Ling"), ("your parcel left", "it has a number", "see you")
    with shop.misbehaving(refused=[sue.phone]):
        for text in texts:
            shop.answer(sue, text)
        inbox = open_inbox("/app/failed/")
        for text in texts:
            expect(row(inbox, text)).to_contain_text("WhatsApp refuses messages to this number.")
            expect(row(inbox, text).get_by_role("link", name="Sue Ling")).to_be_visible()
        inbox.shoot("unsent")
    retry(inbox, "it has a number")
    expect(told(inbox, "It is on its way again.")).to_be_visible()
    expect(row(inbox, "it has a number")).to_have_count(0)
    expect(row(inbox, "your parcel left")).to_be_visible()
    inbox.page.get_by_role("button", name="Retry all").click()
    expect(told(inbox, "2 messages are on their way again.")).to_be_visible()
    expect(inbox.page.get_by_role("heading", name="Everything went out.")).to_be_visible()
    expect(inbox.page.get_by_role("button", name="Retry all")).to_have_count(0)
    inbox.open(f"/?c={sue.id}")
    for text in texts:
        inbox.expect_state(text, "Read")
    assert sorted(shop.received(sue)) == sorted(texts)


@pytest.fixture
def doubtful(shop: Shop) -> tuple[Customer, str]:
    """A customer, and a message to them of which nobody knows whether it went out."""
    customer, text = shop.customer(f"Tom Ng {next(_numbers)}"), "perhaps it went out"
    with shop.misbehaving(connection="need_qr"):
        message = shop.answer(customer, text)
        # The gateway never saw it, so it cannot settle the question either.
        doubt = {"dispatch": "unknown", "due_at": None}
        eventually(lambda: shop.change(message["id"], was="queued", **doubt))
    return customer, text


def test_the_chat_says_what_nobody_knows_and_sends_again(
    shop: Shop, doubtful: tuple[Customer, str], open_inbox: OpenInbox
) -> None:
    customer, text = doubtful
    inbox = open_inbox(f"/?c={customer.id}")
    inbox.expect_state(text, "Perhaps sent")
    bubble = inbox.bubble(text)
    expect(bubble.get_by_text(DOUBT)).to_be_visible()
    inbox.shoot("perhaps-sent")
    bubble.get_by_role("button", name=SEND_AGAIN, exact=True).click()
    inbox.expect_state(text, "Read")
    expect(bubble.get_by_text(DOUBT)).to_have_count(0)
    assert shop.received(customer) == [text]


def test_the_page_asks_before_it_sends_again_what_perhaps_went_out(
    shop: Shop, doubtful: tuple[Customer, str], open_inbox: OpenInbox
) -> None:
    customer, text = doubtful
    inbox = open_inbox("/app/failed/")
    expect(inbox.page.get_by_role("heading", name="Perhaps sent")).to_be_visible()
    asked = inbox.page.get_by_role("dialog", name=f"Send again to {customer.name}")
    retry(inbox, text)
    expect(asked.get_by_text(DOUBT)).to_be_visible()
    inbox.shoot("asked-before-sending-again")
    asked.get_by_role("button", name="Cancel").click()
    expect(asked).to_have_count(0)
    assert [each["status"] for each in shop.messages(customer)] == ["unknown"]
    retry(inbox, text)
    asked.get_by_role("button", name=SEND_AGAIN, exact=True).click()
    expect(told(inbox, "It is on its way again.")).to_be_visible()
    expect(row(inbox, text)).to_have_count(0)
    inbox.open(f"/?c={customer.id}")
    inbox.expect_state(text, "Read")
    assert shop.received(customer) == [text]
