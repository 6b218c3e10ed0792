"""On a phone: one pane at a time."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenInbox
from tests.browser.inbox import Inbox
from tests.browser.shop import Shop

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def inbox(open_inbox: OpenInbox) -> Inbox:
    return open_inbox(**PHONE)


def expect_no_sideways_scrolling(inbox: Inbox) -> None:
    wide = inbox.page.evaluate("() => document.documentElement.scrollWidth")
    assert wide <= PHONE["viewport"]["width"], wide  # type: ignore[index]


def test_list_chat_and_details_follow_each_other_and_back_leads_back(
    shop: Shop, inbox: Inbox
) -> None:
    shop.write(shop.customer("Zoe Pang"), "hello")
    expect(inbox.row("Zoe Pang")).to_be_visible()
    inbox.shoot("phone-list")
    expect_no_sideways_scrolling(inbox)
    inbox.row("Zoe Pang").tap()
    expect(inbox.bubble("hello")).to_be_visible()
    expect(inbox.search).to_be_hidden()
    inbox.write("hi, Zoe")
    inbox.expect_state("hi, Zoe", "Read")
    inbox.shoot("phone-chat")
    expect_no_sideways_scrolling(inbox)
    inbox.page.get_by_role("button", name="Customer details").tap()
    expect(inbox.page.get_by_role("complementary", name="Details")).to_be_visible()
    expect(inbox.composer).to_be_hidden()
    inbox.shoot("phone-details")
    expect_no_sideways_scrolling(inbox)
    inbox.page.get_by_role("button", name="Close").tap()
    expect(inbox.composer).to_be_visible()
    inbox.page.get_by_role("button", name="Back").tap()
    expect(inbox.search).to_be_visible()
    expect(inbox.composer).to_be_hidden()


def test_the_browsers_back_button_closes_the_chat(shop: Shop, inbox: Inbox) -> None:
    shop.write(shop.customer("Yan Ping"), "hello")
    inbox.row("Yan Ping").tap()
    expect(inbox.composer).to_be_visible()
    inbox.page.go_back()
    expect(inbox.search).to_be_visible()
    expect(inbox.composer).to_be_hidden()
    inbox.page.go_forward()
    expect(inbox.bubble("hello")).to_be_visible()
