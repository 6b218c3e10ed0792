"""Customers found, made and changed on the page."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import OpenInbox
from tests.browser.inbox import Inbox
from tests.browser.shop import Shop, new_phone


def begin_chat(inbox: Inbox, phone: str, name: str = "") -> None:
    inbox.page.get_by_role("button", name="New chat").first.click()
    dialog = inbox.page.get_by_role("dialog", name="New chat")
    dialog.get_by_label("Phone").fill(phone)
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_role("button", name="Begin chat").click()


def test_a_chat_is_begun_by_phone_and_a_known_phone_opens_its_chat(
    shop: Shop, inbox: Inbox
) -> None:
    phone = new_phone()
    begin_chat(inbox, f"+{phone[:2]} {phone[2:4]}-{phone[4:]}", "Newt Ong")
    expect(inbox.chat("Newt Ong")).to_be_visible()
    expect(inbox.page.get_by_text("No messages yet. Say hello.")).to_be_visible()
    inbox.shoot("new-chat")
    inbox.write("Good morning")
    inbox.expect_state("Good morning", "Read")
    inbox.page.get_by_role("button", name="New chat").first.focus()
    inbox.page.keyboard.press("Escape")
    expect(inbox.composer).to_have_count(0)
    begin_chat(inbox, phone, "Somebody else")
    expect(inbox.chat("Newt Ong")).to_be_visible()
    expect(inbox.bubble("Good morning")).to_be_visible()
    found = shop.api.get("/customers/", params={"search": phone}).json()
    assert [each["name"] for each in found] == ["Newt Ong"]


def test_a_phone_that_cannot_be_one_is_refused_with_its_reason(inbox: Inbox) -> None:
    begin_chat(inbox, "12")
    dialog = inbox.page.get_by_role("dialog", name="New chat")
    expect(dialog.get_by_label("Phone")).to_have_attribute("aria-invalid", "true")
    expect(dialog.get_by_label("Phone")).to_have_accessible_description(
        re.compile("Must be a phone")
    )


def test_what_is_changed_of_a_customer_is_seen_in_another_browser(
    shop: Shop, inbox: Inbox, open_inbox: OpenInbox
) -> None:
    customer = shop.customer("Old Name")
    shop.write(customer, "hello")
    other = open_inbox(f"/?c={customer.id}")
    other.page.get_by_role("button", name="Customer details").click()
    inbox.open_chat("Old Name")
    inbox.page.get_by_role("button", name="Customer details").click()
    details = inbox.page.get_by_role("complementary", name="Details")
    details.get_by_label("Name", exact=True).fill("New Name")
    details.get_by_label("Status").fill("waiting")
    details.get_by_label("Remark").fill("prefers evenings")
    details.get_by_role("button", name="Add a field").click()
    details.get_by_label("Field", exact=True).fill("size")
    details.get_by_label("Value", exact=True).fill("XL")
    details.get_by_role("button", name="Save").click()
    expect(inbox.status.get_by_text("Saved.")).to_be_visible()
    inbox.shoot("details")
    expect(other.row("New Name")).to_contain_text("Waiting")
    expect(other.chat("New Name")).to_be_visible()
    seen = other.page.get_by_role("complementary", name="Details")
    expect(seen.get_by_label("Name", exact=True)).to_have_value("New Name")
    expect(seen.get_by_label("Remark")).to_have_value("prefers evenings")
    expect(seen.get_by_label("Value", exact=True)).to_have_value("XL")
    stored = shop.api.get(f"/customers/{customer.id}").json()
    assert (stored["status"], stored["extra_fields"]) == ("waiting", {"size": "XL"})


def test_search_and_status_narrow_the_list_and_say_when_nobody_matches(
    shop: Shop, inbox: Inbox
) -> None:
    won = shop.customer("Finder Won", status="won")
    shop.write(won, "pineapple")
    shop.write(shop.customer("Finder New"), "durian")
    rows = inbox.page.get_by_role("region", name="Customers").get_by_role("listitem")
    inbox.search.fill("finder")
    expect(rows).to_have_count(2)
    inbox.page.get_by_role("combobox", name="Status").select_option("won")
    expect(rows).to_have_count(1)
    inbox.search.fill("durian")
    expect(inbox.page.get_by_text("Nobody matches.")).to_be_visible()
    inbox.shoot("nobody-matches")
    inbox.page.get_by_role("button", name="Show all").click()
    inbox.search.fill(won.phone)
    expect(inbox.row("Finder Won")).to_be_visible()
    expect(rows).to_have_count(1)


def test_an_erased_customer_leaves_every_browser(
    shop: Shop, inbox: Inbox, open_inbox: OpenInbox
) -> None:
    customer = shop.customer("Gone Soon")
    shop.write(customer, "forget me")
    other = open_inbox(f"/?c={customer.id}")
    expect(other.bubble("forget me")).to_be_visible()
    inbox.open_chat("Gone Soon")
    inbox.page.get_by_role("button", name="Customer details").click()
    inbox.page.get_by_role("button", name="Erase customer").click()
    inbox.page.get_by_role("button", name="Erase everything").click()
    expect(inbox.row("Gone Soon")).to_have_count(0)
    expect(other.row("Gone Soon")).to_have_count(0)
    expect(other.bubble("forget me")).to_have_count(0)
    assert shop.api.get(f"/customers/{customer.id}").status_code == 404
