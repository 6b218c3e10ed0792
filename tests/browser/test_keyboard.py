"""Everything by keyboard, without a pointer."""

import re

from playwright.sync_api import expect

from tests.browser.inbox import Inbox
from tests.browser.shop import Shop


def test_a_customer_is_found_opened_answered_and_left_by_keys_alone(
    shop: Shop, inbox: Inbox
) -> None:
    names = ["Kea Uno", "Kea Duo", "Kea Tre"]
    customers = [shop.customer(name) for name in names]
    for customer in customers:
        shop.write(customer, "hello")
    press = inbox.page.keyboard.press
    expect(inbox.row("Kea Tre")).to_be_visible()
    press("/")
    expect(inbox.search).to_be_focused()
    inbox.page.keyboard.type("Kea")
    expect(inbox.page.get_by_role("listitem")).to_have_count(3)
    press("Escape")
    expect(inbox.search).not_to_be_focused()
    press("j")
    expect(inbox.row("Kea Tre")).to_be_focused()
    press("j")
    press("j")
    expect(inbox.row("Kea Uno")).to_be_focused()
    press("k")
    expect(inbox.row("Kea Duo")).to_be_focused()
    press("Enter")
    expect(inbox.chat("Kea Duo")).to_be_visible()
    expect(inbox.composer).to_be_focused()
    inbox.page.keyboard.type("j, k and / are letters here")
    press("Enter")
    inbox.expect_state("j, k and / are letters here", "Read")
    press("Escape")
    expect(inbox.row("Kea Duo")).to_be_focused()
    press("Escape")
    expect(inbox.composer).to_have_count(0)
    assert shop.texts(customers[1]) == ["hello", "j, k and / are letters here"]


def test_the_question_mark_shows_the_keys_and_escape_closes_them(inbox: Inbox) -> None:
    inbox.page.keyboard.press("?")
    keys = inbox.page.get_by_role("dialog", name="Keys")
    expect(keys).to_be_visible()
    inbox.shoot("keys")
    inbox.page.keyboard.press("j")
    expect(keys).to_be_visible()
    inbox.page.keyboard.press("Escape")
    expect(keys).to_have_count(0)


def test_each_thing_that_tab_reaches_has_a_name_and_shows_that_it_has_the_focus(
    shop: Shop, inbox: Inbox
) -> None:
    shop.write(shop.customer("Tab Key"), "hello")
    inbox.open_chat("Tab Key")
    for _ in range(25):
        inbox.page.keyboard.press("Tab")
        focused = inbox.page.locator("*:focus").last
        if focused.count() == 0:
            continue  # the browser's own bar
        expect(focused).to_have_accessible_name(re.compile(r"\S"))
        expect(focused).not_to_have_css("outline-style", "none")
