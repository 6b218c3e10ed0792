"""One address for all: the page comes from the process that answers the API, at `/`."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Request, expect

from tests.browser.conftest import NewContext
from tests.browser.inbox import Inbox
from tests.browser.shop import Shop
from tests.kit.stack import Stack


@pytest.fixture
def asked(context: BrowserContext) -> list[Request]:
    """What left the browser, in order."""
    requests = list[Request]()
    context.on("request", lambda request: requests.append(request))
    return requests


@pytest.fixture
def context(new_context: NewContext) -> BrowserContext:
    return new_context()


def test_a_customer_is_answered_on_the_page_that_the_api_serves(
    shop: Shop, stack: Stack, context: BrowserContext, asked: list[Request]
) -> None:
    inbox = Inbox(context.new_page(), stack.url("web"))
    inbox.open()
    rosa = shop.customer("Rosa Tan")
    shop.write(rosa, "Do you deliver to Ipoh?")
    inbox.expect_unread("Rosa Tan", 1)
    inbox.open_chat("Rosa Tan")
    expect(inbox.bubble("Do you deliver to Ipoh?")).to_be_visible()
    inbox.write("On Fridays.")
    inbox.expect_state("On Fridays.", "Read")
    inbox.page.reload()
    inbox.expect_state("On Fridays.", "Read")
    assert shop.received(rosa) == ["On Fridays."]
    assert {urlsplit(each.url).netloc for each in asked} == {urlsplit(stack.url("web")).netloc}
