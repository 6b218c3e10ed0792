"""From the click to the server: one message, in order, whatever breaks in between."""

import pytest
from playwright.sync_api import Route, expect

from tests.browser.inbox import Inbox
from tests.browser.shop import Shop

SEND = "**/messages/send"


def test_a_message_that_whatsapp_refused_says_why_and_is_sent_by_retry(
    shop: Shop, inbox: Inbox
) -> None:
    lim = shop.customer("Lim Ah Hock")
    shop.write(lim, "hello")
    inbox.open_chat("Lim Ah Hock")
    with shop.misbehaving(refused=[lim.phone]):
        inbox.write("your order is ready")
        inbox.expect_state("your order is ready", "Not sent")
        bubble = inbox.bubble("your order is ready")
        why = "Not sent: WhatsApp refuses messages to this number."
        expect(bubble.get_by_text(why)).to_be_visible()
        inbox.shoot("message-failed")
    bubble.get_by_role("button", name="Retry").click()
    inbox.expect_state("your order is ready", "Read")
    expect(bubble.get_by_role("button")).to_have_count(0)
    assert shop.received(lim) == ["your order is ready"]


@pytest.mark.parametrize("has_arrived", [False, True], ids=["the request", "the answer"])
def test_a_reload_while_a_message_is_on_its_way_sends_it_once(
    shop: Shop, inbox: Inbox, has_arrived: bool
) -> None:
    name = f"Moe Zin {has_arrived}"
    moe, held = shop.customer(name), list[Route]()

    def hold(route: Route) -> None:
        if has_arrived:
            route.fetch()
        held.append(route)

    shop.write(moe, "hello")
    inbox.open_chat(name)
    inbox.page.route(SEND, hold)
    with inbox.page.expect_request(SEND):
        inbox.write("only once, please")
    while not held:
        inbox.page.wait_for_timeout(20)
    # Where it has arrived, the stream has told so already.
    inbox.expect_state("only once, please", "Read" if has_arrived else "Saving")
    inbox.page.unroute(SEND)
    inbox.page.reload()
    inbox.expect_state("only once, please", "Read")
    expect(inbox.bubble("only once, please")).to_have_count(1)
    assert shop.texts(moe) == ["hello", "only once, please"]
    assert shop.received(moe) == ["only once, please"]


def test_a_double_enter_and_a_double_click_send_once_each(shop: Shop, inbox: Inbox) -> None:
    nora = shop.customer("Nora Idris")
    shop.write(nora, "hello")
    inbox.open_chat("Nora Idris")
    inbox.composer.fill("by Enter")
    for _ in range(3):
        inbox.page.keyboard.press("Enter")
    inbox.composer.fill("by click")
    inbox.page.get_by_role("button", name="Send", exact=True).dblclick()
    inbox.expect_state("by click", "Read")
    assert shop.texts(nora) == ["hello", "by Enter", "by click"]


def test_what_is_written_offline_goes_out_once_and_in_order_when_the_network_is_back(
    shop: Shop, inbox: Inbox
) -> None:
    omar = shop.customer("Omar Said")
    shop.write(omar, "hello")
    inbox.open_chat("Omar Said")
    inbox.page.context.set_offline(True)
    for text in ("first", "second", "third"):
        inbox.write(text)
        inbox.expect_state(text, "Saving")
    expect(inbox.status.get_by_text("Connection lost.")).to_be_visible()
    inbox.shoot("offline")
    assert shop.texts(omar) == ["hello"]
    inbox.page.context.set_offline(False)
    inbox.expect_state("third", "Read")
    inbox.expect_texts("hello", "first", "second", "third")
    assert shop.texts(omar) == ["hello", "first", "second", "third"]
    assert shop.received(omar) == ["first", "second", "third"]


def test_a_message_that_the_server_refuses_is_kept_and_can_be_edited(
    shop: Shop, inbox: Inbox
) -> None:
    pia = shop.customer("Pia Goh")
    shop.write(pia, "hello")
    inbox.open_chat("Pia Goh")
    inbox.page.route(
        SEND, lambda route: route.continue_(post_data='{"customer_id": "none"}'), times=1
    )
    inbox.write("refused at first")
    bubble = inbox.bubble("refused at first")
    expect(bubble.get_by_text("The server did not take this:")).to_be_visible()
    bubble.get_by_role("button", name="Edit").click()
    expect(inbox.composer).to_have_value("refused at first")
    inbox.composer.press("Enter")
    inbox.expect_state("refused at first", "Read")
    assert shop.texts(pia) == ["hello", "refused at first"]
