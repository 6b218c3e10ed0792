"""WhatsApp, Redis, the server or the stream go away and come back: the page says so and goes on."""

from itertools import count

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.browser.inbox import Inbox
from tests.browser.shop import Customer, Shop

_numbers = count(1)
STREAM = "**/messages/events/stream*"


@pytest.fixture
def customer(shop: Shop) -> Customer:
    return shop.customer(f"Aida Zain {next(_numbers)}")


@pytest.fixture
def chat(shop: Shop, inbox: Inbox, customer: Customer) -> Inbox:
    """A tab with a chat open."""
    shop.write(customer, "hello")
    inbox.open_chat(customer.name)
    return inbox


def composer_says(chat: Inbox, why: str) -> Locator:
    """In the chat itself, beside what is written."""
    return chat.page.get_by_role("main").get_by_text(why, exact=True)


def test_while_whatsapp_wants_pairing_the_composer_says_why_and_messages_wait(
    shop: Shop, chat: Inbox
) -> None:
    with shop.misbehaving(connection="need_qr"):
        why = "WhatsApp wants to be paired again. Messages wait."
        expect(composer_says(chat, why)).to_be_visible()
        expect(chat.status.get_by_text(why).first).to_be_visible()
        chat.write("written meanwhile")
        chat.expect_state("written meanwhile", "Waiting to be sent")
        chat.shoot("whatsapp-down")
    chat.expect_state("written meanwhile", "Read")
    expect(chat.page.get_by_text(why)).to_have_count(0)


def test_a_gateway_that_was_killed_and_started_again_sends_what_was_written_meanwhile(
    shop: Shop, chat: Inbox
) -> None:
    gateway = shop.stack.programs["gateway"]
    gateway.kill()
    try:
        chat.write("into the dark")
        why = "The WhatsApp gateway cannot be reached. Messages wait."
        expect(composer_says(chat, why)).to_be_visible()
    finally:
        gateway.start()
        shop.stack.wait_until_up("gateway")
    chat.expect_state("into the dark", "Read")
    expect(chat.page.get_by_text(why)).to_have_count(0)


def test_the_page_goes_on_without_redis_and_what_was_written_goes_out_afterwards(
    shop: Shop, chat: Inbox
) -> None:
    shop.stack.redis.stop()
    try:
        chat.write("without Redis")
        chat.expect_state("without Redis", "Waiting to be sent")
        other = shop.customer("Ida Noor")
        shop.write(other, "are you open?")
        expect(chat.row("Ida Noor")).to_contain_text("are you open?")
    finally:
        shop.stack.redis.start()
    chat.expect_state("without Redis", "Read")
    chat.write("and with it")
    chat.expect_state("and with it", "Read")


def test_a_stream_that_was_refused_is_opened_again_and_nothing_is_missed(
    shop: Shop, chat: Inbox
) -> None:
    refused: list[str] = []

    def refuse(route: Route) -> None:
        refused.append(route.request.url)
        route.fulfill(status=503, headers={"Access-Control-Allow-Origin": "*", "Retry-After": "1"})

    chat.page.route(STREAM, refuse, times=2)
    chat.page.reload()
    expect(chat.bubble("hello")).to_be_visible()
    shop.write(shop.customer("Jon Ang"), "while the stream was refused")
    expect(chat.row("Jon Ang")).to_contain_text("while the stream was refused")
    assert len(refused) == 2


def test_a_server_that_was_restarted_is_found_again(
    shop: Shop, chat: Inbox, customer: Customer
) -> None:
    web = shop.stack.programs["web"]
    web.kill()
    try:
        chat.write("while the server was away")
        chat.expect_state("while the server was away", "Saving")
        lost = "Connection lost. What you write is kept and sent when it is back."
        expect(chat.status.get_by_text(lost)).to_be_visible()
        chat.shoot("server-away")
    finally:
        web.start()
        shop.stack.wait_until_up("web")
    chat.expect_state("while the server was away", "Read")
    expect(chat.page.get_by_text(lost)).to_have_count(0)
    chat.expect_unread(customer.name, 0)
    shop.write(shop.customer("Kim Yap"), "and it is live again")
    expect(chat.row("Kim Yap")).to_contain_text("and it is live again")
