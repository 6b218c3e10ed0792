"""Where a phone is linked: the code of the moment, and the word that it is done."""

from playwright.sync_api import expect

from tests.browser.conftest import OpenInbox
from tests.browser.shop import Shop


def test_the_code_is_shown_renews_itself_and_gives_way_to_the_word_that_all_is_connected(
    shop: Shop, open_inbox: OpenInbox
) -> None:
    inbox = open_inbox("/app/pairing/")
    connected = inbox.page.get_by_role("heading", name="WhatsApp is connected", exact=True)
    expect(connected).to_be_visible()
    code = inbox.page.get_by_role("img", name="Code to scan")
    with shop.misbehaving(connection="need_qr"):
        expect(code).to_be_visible()
        expect(connected).to_have_count(0)
        assert code.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
        first = code.get_attribute("src")
        assert first is not None
        inbox.shoot("pairing")
        expect(code).not_to_have_attribute("src", first)
    expect(connected).to_be_visible()
    expect(code).to_have_count(0)
