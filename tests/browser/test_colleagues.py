"""Two agents, two browsers, one customer: nobody answers over the other unknowingly."""

from itertools import count

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenInbox
from tests.browser.inbox import Inbox
from tests.browser.shop import Customer, Shop

_numbers = count(1)


@pytest.fixture
def customer(shop: Shop) -> Customer:
    customer = shop.customer(f"Bo Chua {next(_numbers)}")
    shop.write(customer, "How much is it?")
    return customer


@pytest.fixture
def both(open_inbox: OpenInbox, customer: Customer) -> tuple[Inbox, Inbox]:
    """Two agents with the same chat open; the first has begun to write."""
    first, second = open_inbox(), open_inbox()
    for inbox in (first, second):
        inbox.open_chat(customer.name)
    first.composer.fill("It is 20.")
    second.write("It is 25, delivered.")
    expect(first.bubble("It is 25, delivered.")).to_be_visible()
    return first, second


def test_whoever_answers_after_a_colleague_is_asked_and_may_send_anyway(
    shop: Shop, customer: Customer, both: tuple[Inbox, Inbox]
) -> None:
    first, second = both
    first.composer.press("Enter")
    asked = first.page.get_by_role("alert").filter(has_text="While you were writing:")
    expect(asked).to_contain_text("It is 25, delivered.")
    first.shoot("asked-before-sending")
    assert "It is 20." not in shop.texts(customer)
    asked.get_by_role("button", name="Send anyway").click()
    first.expect_state("It is 20.", "Read")
    expect(second.bubble("It is 20.")).to_be_visible()
    expect(asked).to_have_count(0)


def test_whoever_is_asked_may_edit_what_they_wrote_and_is_not_asked_again(
    both: tuple[Inbox, Inbox],
) -> None:
    first, _ = both
    first.composer.press("Enter")
    asked = first.page.get_by_role("alert").filter(has_text="While you were writing:")
    asked.get_by_role("button", name="Edit").click()
    expect(first.composer).to_have_value("It is 20.")
    expect(asked).to_have_count(0)
    first.composer.fill("It is 20 without delivery.")
    first.composer.press("Enter")
    first.expect_state("It is 20 without delivery.", "Read")


def test_a_customer_who_writes_meanwhile_is_read_before_the_answer_goes_out(
    shop: Shop, customer: Customer, open_inbox: OpenInbox
) -> None:
    inbox = open_inbox()
    inbox.open_chat(customer.name)
    inbox.composer.fill("It is 20.")
    shop.write(customer, "Forget it.")
    inbox.composer.press("Enter")
    asked = inbox.page.get_by_role("alert").filter(has_text="Forget it.")
    asked.get_by_role("button", name="Discard").click()
    expect(asked).to_have_count(0)
    expect(inbox.composer).to_have_value("")
    assert shop.texts(customer) == ["How much is it?", "Forget it."]


def test_one_sees_who_else_looks_at_a_chat_and_who_writes(
    customer: Customer, open_inbox: OpenInbox
) -> None:
    first, second = open_inbox(), open_inbox()
    first.open_chat(customer.name)
    second.open_chat(customer.name)
    expect(first.status.get_by_text("A colleague is looking at this chat")).to_be_visible()
    second.composer.press_sequentially("It")
    expect(first.status.get_by_text("A colleague is typing…")).to_be_visible()
    first.shoot("colleague-typing")
    second.page.close()
    expect(first.status.get_by_text("A colleague is")).to_have_count(0)
