"""Texts that try to be more than text: shown as written, and nothing of them runs."""

import pytest
from playwright.sync_api import expect

from tests.browser.inbox import Inbox
from tests.browser.shop import Shop

RAN = "window.ran = 1; document.title = 'ran'; alert('ran')"
CORPUS = [
    f"<script>{RAN}</script>",
    f'<img src="x" onerror="{RAN}">',
    f"<svg onload=\"{RAN}\"><a href='javascript:{RAN}'>click</a>",
    f"\"><iframe srcdoc='<script>parent.{RAN}</script>'></iframe>",
    "javascript:alert(1) JaVaScRiPt://x%0aalert(1) data:text/html,<script>alert(1)</script>",
    "{{constructor.constructor('alert(1)')()}} ${alert(1)} <%= alert(1) %>",
    "</textarea></script><style>*{display:none}</style><base href='https://evil.example/'>",
    "\u202egnp.exe\u202c \u2066turned\u2069 مرحبا بالعالم שלום",
    "W" * 4096,
    "👩‍👩‍👧‍👦" * 50,
    "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f" * 20,
]
BRIEF = [text[:100].strip() for text in CORPUS]


def expect_nothing_ran(inbox: Inbox) -> None:
    """Dialogs, errors and foreign requests are watched over in every test."""
    assert inbox.page.evaluate("() => window.ran") is None
    assert inbox.page.title() != "ran"
    assert inbox.page.locator("iframe, base, [onerror], [onload]").count() == 0
    for link in inbox.page.locator("main a").all():
        assert (link.get_attribute("href") or "").startswith(("http://", "https://", "/"))


def test_messages_are_shown_as_they_were_written(shop: Shop, inbox: Inbox) -> None:
    eve = shop.customer("Eve Corpus")
    inbox.row("Eve Corpus").click()
    expect(inbox.composer).to_be_visible()
    for text in CORPUS:
        shop.write(eve, text)
        shown = inbox.page.get_by_role("article").last.locator("p").first
        expect(shown).to_have_text(text)
        inbox.write(f"you wrote: {text[:4000]}")
        expect(shown).to_have_text(f"you wrote: {text[:4000]}")
    expect_nothing_ran(inbox)
    wide = inbox.page.evaluate("() => document.documentElement.scrollWidth")
    assert wide <= 1280
    inbox.shoot("hostile-messages")


@pytest.mark.parametrize("number", range(len(BRIEF)))
def test_names_remarks_statuses_and_fields_are_shown_as_they_were_written(
    shop: Shop, inbox: Inbox, number: int
) -> None:
    text = BRIEF[number]
    customer = shop.customer(text)
    change = {"status": text[:40].strip(), "remark": text, "extra_fields": {text: text}}
    shop.api.patch(f"/customers/{customer.id}", json=change).raise_for_status()
    shop.write(customer, text)
    row = inbox.page.get_by_role("region", name="Customers").get_by_role("listitem").first
    expect(row).to_contain_text(text)
    inbox.page.goto(f"{inbox.address}/?c={customer.id}")
    expect(inbox.page.get_by_role("heading", name=text, exact=True)).to_be_visible()
    inbox.page.get_by_role("button", name="Customer details").click()
    details = inbox.page.get_by_role("complementary", name="Details")
    expect(details.get_by_label("Name", exact=True)).to_have_value(text)
    expect(details.get_by_label("Remark")).to_have_value(text)
    expect(details.get_by_label("Status")).to_have_value(text[:40].strip())
    expect(details.get_by_label("Field", exact=True)).to_have_value(text)
    expect(details.get_by_label("Value", exact=True)).to_have_value(text)
    expect_nothing_ran(inbox)
    inbox.shoot(f"hostile-names-{number}")


def test_only_web_addresses_become_links_and_they_tell_nobody_where_they_were_clicked(
    shop: Shop, inbox: Inbox
) -> None:
    eve = shop.customer("Eve Links")
    shop.write(eve, "see https://example.com/a?b=1. or javascript:alert(1) or http://x.example)")
    inbox.open_chat("Eve Links")
    links = inbox.page.get_by_role("article").get_by_role("link")
    expect(links).to_have_text(["https://example.com/a?b=1", "http://x.example"])
    for link in links.all():
        assert link.get_attribute("target") == "_blank"
        assert {"noopener", "noreferrer"} <= set((link.get_attribute("rel") or "").split())
