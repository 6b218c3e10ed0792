"""Two tabs of one browser: one event stream between them, and the same truth in both."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import OpenInbox
from tests.browser.inbox import Inbox
from tests.browser.shop import Shop
from tests.kit.waiting import eventually

STREAM = "/messages/events/stream"


class Tabs:
    """Two of them, and the streams that they opened."""

    def __init__(self, context: BrowserContext, open_inbox: OpenInbox) -> None:
        self.streams: list[str] = []
        context.on("request", lambda asked: STREAM in asked.url and self.streams.append(asked.url))
        self.first: Inbox = open_inbox(beside=context)
        self.second: Inbox = open_inbox(beside=context)


@pytest.fixture
def tabs(new_context: type[BrowserContext], open_inbox: OpenInbox) -> Iterator[Tabs]:
    yield Tabs(new_context(), open_inbox)  # type: ignore[call-arg]


def test_both_tabs_follow_by_one_stream_and_one_goes_on_when_the_other_closes(
    shop: Shop, tabs: Tabs
) -> None:
    eva = shop.customer("Eva Tan")
    shop.write(eva, "message 1", "message 2")
    tabs.second.open_chat("Eva Tan")
    shop.write(eva, "message 3")
    expect(tabs.first.row("Eva Tan")).to_contain_text("message 3")
    expect(tabs.second.bubble("message 3")).to_be_visible()
    assert len(tabs.streams) == 1
    with tabs.second.page.expect_request(lambda asked: STREAM in asked.url) as taken_over:
        shop.write(eva, "message 4")
        tabs.first.page.close()
        shop.write(eva, "message 5", "message 6")
    tabs.second.expect_texts(*(f"message {number}" for number in range(1, 7)))
    assert "lastEventId=" in taken_over.value.url
    assert len(tabs.streams) == 2


def test_unread_counts_agree_in_both_tabs_and_with_the_server(shop: Shop, tabs: Tabs) -> None:
    fay, gus = shop.customer("Fay Chen"), shop.customer("Gus Lee")
    shop.write(fay, "one", "two")
    shop.write(gus, "three")
    for tab in (tabs.first, tabs.second):
        tab.expect_unread("Fay Chen", 2)
        tab.expect_unread("Gus Lee", 1)
    tabs.first.open_chat("Fay Chen")
    for tab in (tabs.first, tabs.second):
        tab.expect_unread("Fay Chen", 0)
        tab.expect_unread("Gus Lee", 1)
    eventually(lambda: shop.unread(fay) == 0)
    assert shop.unread(gus) == 1


def test_what_one_tab_sends_is_seen_in_the_other_and_stored_once(shop: Shop, tabs: Tabs) -> None:
    hana = shop.customer("Hana Abe")
    shop.write(hana, "hello")
    for tab in (tabs.first, tabs.second):
        tab.open_chat("Hana Abe")
    tabs.second.write("from the second tab")
    tabs.first.expect_state("from the second tab", "Read")
    assert shop.texts(hana) == ["hello", "from the second tab"]
