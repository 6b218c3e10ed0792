"""A customer writes, is answered, and reads it: all of it seen on the page."""

from playwright.sync_api import expect

from tests.browser.inbox import Inbox
from tests.browser.shop import Shop
from tests.kit.waiting import eventually


def test_a_customer_who_writes_is_answered_and_the_ticks_turn_to_read(
    shop: Shop, inbox: Inbox
) -> None:
    mia = shop.customer("Mia Wong")
    shop.write(mia, "Is the blue one in stock?")
    inbox.expect_unread("Mia Wong", 1)
    inbox.open_chat("Mia Wong")
    expect(inbox.bubble("Is the blue one in stock?")).to_be_visible()
    inbox.write("Yes, two of them.")
    inbox.expect_state("Yes, two of them.", "Read")
    expect(inbox.row("Mia Wong")).to_contain_text("Yes, two of them.")
    expect(inbox.composer).to_be_empty()
    expect(inbox.composer).to_be_focused()
    inbox.shoot("chat-read")
    assert shop.received(mia) == ["Yes, two of them."]
    assert [message["ack"] for message in shop.messages(mia)] == [3, 3]


def test_opening_a_chat_marks_what_was_shown_read_and_no_other_chat(
    shop: Shop, inbox: Inbox
) -> None:
    ben, cho = shop.customer("Ben Ooi"), shop.customer("Cho Lim")
    shop.write(ben, "one", "two", "three")
    shop.write(cho, "hello")
    inbox.expect_unread("Ben Ooi", 3)
    inbox.open_chat("Ben Ooi")
    inbox.expect_unread("Ben Ooi", 0)
    eventually(lambda: shop.unread(ben) == 0)
    shop.write(cho, "are you there?")
    inbox.expect_unread("Cho Lim", 2)
    assert shop.unread(cho) == 2
    shop.write(ben, "four")
    expect(inbox.bubble("four")).to_be_visible()
    eventually(lambda: shop.unread(ben) == 0)
    inbox.expect_unread("Ben Ooi", 0)
    inbox.expect_unread("Cho Lim", 2)


def test_a_line_break_is_kept_and_a_long_text_is_counted(shop: Shop, inbox: Inbox) -> None:
    dan = shop.customer("Dan Raj")
    shop.write(dan, "hi")
    inbox.open_chat("Dan Raj")
    inbox.composer.press_sequentially("first")
    inbox.composer.press("Shift+Enter")
    inbox.composer.press_sequentially("second")
    inbox.composer.press("Enter")
    eventually(lambda: shop.texts(dan) == ["hi", "first\nsecond"])
    inbox.composer.fill("x" * 4097)
    expect(inbox.page.get_by_text("1 characters too many")).to_be_visible()
    expect(inbox.page.get_by_role("button", name="Send", exact=True)).to_be_disabled()
    longest = "x" * 4096
    inbox.write(longest)
    eventually(lambda: shop.texts(dan)[-1] == longest)
    inbox.shoot("long-text")
