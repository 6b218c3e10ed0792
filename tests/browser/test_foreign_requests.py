"""Whom a browser asks: the product, and WhatsApp for its customers' pictures; nobody else."""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Request, Route, expect

from tests.browser.inbox import Inbox
from tests.browser.shop import Shop
from tests.kit.stack import Stack

PICTURE = "https://pps.whatsapp.net/v/t61.24694-24/amara.jpg"
FOREIGN = "https://pictures.example/eve.jpg"
DRAWN = b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>'
PAGES = ("/", "/app/failed/", "/app/figures/", "/app/pairing/", "/app/settings/")


@pytest.fixture
def asked() -> list[Request]:
    """What left the browser, in order."""
    return []


@pytest.fixture
def context(chromium: Browser, asked: list[Request]) -> Iterator[BrowserContext]:
    """A browser before a network in which every other host draws a picture."""
    context = chromium.new_context(locale="en-GB")
    context.on("request", lambda request: asked.append(request))
    context.route(lambda url: urlsplit(url).hostname != "127.0.0.1", _draw)
    yield context
    context.close()


def _draw(route: Route) -> None:
    route.fulfill(body=DRAWN, content_type="image/svg+xml")


@pytest.fixture
def inbox(context: BrowserContext, stack: Stack) -> Inbox:
    return Inbox(context.new_page(), stack.url("frontend"))


def _hosts(asked: list[Request]) -> set[str]:
    parts = [urlsplit(each.url) for each in asked]
    return {each.netloc for each in parts if each.scheme not in {"data", "blob"}}


def test_no_page_asks_anybody_but_the_product_itself(
    shop: Shop, stack: Stack, inbox: Inbox, asked: list[Request]
) -> None:
    customer = shop.customer("Jonas Weber")
    shop.write(customer, "Look at https://elsewhere.example/page, and //elsewhere.example/x.js")
    for path in PAGES:
        inbox.page.goto(inbox.address + path)
        expect(inbox.page.get_by_role("heading").first).to_be_visible()
    inbox.open(f"/?c={customer.id}")
    expect(inbox.page.get_by_role("article")).to_have_count(1)
    own = {urlsplit(stack.url(name)).netloc for name in ("frontend", "web", "gateway")}
    assert {urlsplit(stack.url("frontend")).netloc} < _hosts(asked) <= own


def test_a_picture_that_whatsapp_keeps_is_asked_for_without_saying_where_it_is_shown(
    shop: Shop, inbox: Inbox, asked: list[Request], show: Callable[[str], None]
) -> None:
    show(PICTURE)
    picture = inbox.page.get_by_role("region", name="Customers").locator(f'img[src="{PICTURE}"]')
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.complete && image.naturalWidth > 0")
    requests = [each for each in asked if each.url == PICTURE]
    assert requests
    for request in requests:
        headers = request.all_headers()
        assert not {"referer", "cookie", "origin"} & headers.keys()


def test_a_picture_of_any_other_host_is_not_asked_for_and_initials_stand_in_its_place(
    shop: Shop, inbox: Inbox, asked: list[Request], show: Callable[[str], None]
) -> None:
    refused = list[str]()
    inbox.page.on("console", lambda message: refused.append(message.text))
    show(FOREIGN)
    row = inbox.row("Eve Stone")
    expect(row).to_contain_text("ES")
    expect(row.locator("img")).to_have_count(0)
    assert any("Content Security Policy" in text and "img-src" in text for text in refused)
    answered = [each for each in asked if each.url == FOREIGN and each.response() is not None]
    assert answered == []


@pytest.fixture
def show(shop: Shop, inbox: Inbox) -> Iterator[Callable[[str], None]]:
    """Opens the inbox with a customer who has this picture, for this test only."""
    customer = shop.customer("Eve Stone")

    def give(photo: str | None) -> None:
        answer = shop.api.patch(f"/customers/{customer.id}", json={"photo_url": photo})
        answer.raise_for_status()

    def open_with(photo: str) -> None:
        give(photo)
        shop.write(customer, "Hello")
        inbox.open()
        inbox.search.fill(customer.phone)
        expect(inbox.row("Eve Stone")).to_have_count(1)

    yield open_with
    give(None)
