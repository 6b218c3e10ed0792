"""The pages beside the inbox, reached by their links: live and styled as when opened anew."""

from playwright.sync_api import Page, expect

from tests.browser.inbox import Inbox
from tests.browser.shop import Shop

PAGES = {
    "Not sent": "/app/failed/",
    "Figures": "/app/figures/",
    "Pair": "/app/pairing/",
    "Settings": "/app/settings/",
    "Inbox": "/",
}


def width_of_main(page: Page) -> float:
    box = page.get_by_role("main").bounding_box()
    assert box is not None
    return box["width"]


def test_each_page_is_styled_and_live_when_a_link_leads_to_it(shop: Shop, inbox: Inbox) -> None:
    wide = width_of_main(inbox.page)
    for name, path in PAGES.items():
        places = inbox.page.get_by_role("navigation")
        places.get_by_role("link", name=name, exact=True).click()
        expect(inbox.page).to_have_url(inbox.address + path)
        current = places.get_by_role("link", name=name, exact=True)
        expect(current).to_have_attribute("aria-current", "page")
        expect(places.get_by_text("Live", exact=True)).to_be_attached()
        assert width_of_main(inbox.page) == wide
        inbox.shoot(f"page-{path.strip('/').replace('/', '-') or 'inbox'}")
    shop.write(shop.customer("Wei Jie"), "after the walk")
    expect(inbox.row("Wei Jie")).to_contain_text("after the walk")


def test_each_page_is_live_when_it_is_opened_first(inbox: Inbox) -> None:
    for path in PAGES.values():
        inbox.open(path)
        expect(inbox.page.get_by_text("Connection lost.")).to_have_count(0)
