"""What was begun and not sent: kept by this browser for its customer, and for nobody else."""

from playwright.sync_api import expect

from tests.browser.conftest import OpenInbox
from tests.browser.inbox import Inbox
from tests.browser.shop import Shop


def test_a_draft_survives_a_reload_and_never_crosses_to_another_customer(
    shop: Shop, inbox: Inbox
) -> None:
    qi, ray = shop.customer("Qi Wen"), shop.customer("Ray Soh")
    shop.write(qi, "hello")
    shop.write(ray, "hello")
    inbox.open_chat("Qi Wen")
    inbox.composer.fill("Dear Qi, ")
    inbox.open_chat("Ray Soh")
    expect(inbox.composer).to_have_value("")
    inbox.composer.fill("Dear Ray, ")
    inbox.page.reload()
    expect(inbox.composer).to_have_value("Dear Ray, ")
    inbox.open_chat("Qi Wen")
    expect(inbox.composer).to_have_value("Dear Qi, ")
    inbox.composer.press("Enter")
    inbox.expect_state("Dear Qi,", "Read")
    inbox.page.reload()
    expect(inbox.composer).to_have_value("")
    inbox.open_chat("Ray Soh")
    expect(inbox.composer).to_have_value("Dear Ray, ")
    assert shop.texts(ray) == ["hello"]


def test_switching_fast_between_chats_sends_to_the_one_that_is_shown(
    shop: Shop, inbox: Inbox
) -> None:
    names = ["Sam Teo", "Tia Koh", "Udo Han"]
    customers = [shop.customer(name) for name in names]
    for customer in customers:
        shop.write(customer, "hello")
    for _ in range(3):
        for name in names:
            inbox.row(name).click()
    for name in names:
        inbox.open_chat(name)
        inbox.write(f"for {name}")
        inbox.expect_state(f"for {name}", "Read")
    for customer in customers:
        assert shop.texts(customer) == ["hello", f"for {customer.name}"]


def test_a_draft_is_not_seen_in_another_browser(
    shop: Shop, inbox: Inbox, open_inbox: OpenInbox
) -> None:
    shop.write(shop.customer("Vic Lau"), "hello")
    inbox.open_chat("Vic Lau")
    inbox.composer.fill("secret so far")
    other = open_inbox()
    other.open_chat("Vic Lau")
    expect(other.composer).to_have_value("")
