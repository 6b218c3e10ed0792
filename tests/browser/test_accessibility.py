"""axe finds no serious fault in any state of any page, light and dark, in both languages."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import LOOKS, Look, expect_no_grave_fault
from tests.browser.conftest import OpenInbox
from tests.browser.inbox import Inbox
from tests.browser.shop import Customer, Shop
from tests.kit.waiting import eventually

PHONE = {"width": 390, "height": 844}
Prepare = Callable[[Inbox, Look, Customer], None]
Ready = Callable[[Page, Look, Customer], Locator]


def _open_chat(inbox: Inbox, look: Look, customer: Customer) -> None:
    inbox.page.goto(f"{inbox.address}/?c={customer.id}")
    expect(inbox.page.get_by_role("article")).to_have_count(6)


def _open_details(inbox: Inbox, look: Look, customer: Customer) -> None:
    _open_chat(inbox, look, customer)
    inbox.page.get_by_role("button", name=look.says("Customer details", "客户详情")).click()
    expect(inbox.page.get_by_role("complementary").get_by_text(customer.name)).to_be_visible()


def _begin_chat(inbox: Inbox, look: Look, customer: Customer) -> None:
    inbox.page.get_by_role("button", name=look.says("New chat", "新建会话")).click()
    expect(inbox.page.get_by_role("dialog")).to_be_visible()


def _ask_for_the_keys(inbox: Inbox, look: Look, customer: Customer) -> None:
    inbox.page.keyboard.press("?")
    expect(inbox.page.get_by_role("dialog")).to_be_visible()


def _find_nobody(inbox: Inbox, look: Look, customer: Customer) -> None:
    inbox.page.get_by_role("searchbox").fill("nobody is called this")
    expect(inbox.page.get_by_role("listitem")).to_have_count(0)


def _look(inbox: Inbox, look: Look, customer: Customer) -> None:
    expect(inbox.page.get_by_role("listitem").first).to_be_visible()


STATES: dict[str, Prepare] = {
    "list": _look,
    "chat": _open_chat,
    "details": _open_details,
    "new chat": _begin_chat,
    "keys": _ask_for_the_keys,
    "nobody": _find_nobody,
}
ON_A_PHONE = ("list", "chat", "details")


def _unsent(page: Page, look: Look, customer: Customer) -> Locator:
    reason = page.get_by_text("The phone is not on WhatsApp.")
    return page.get_by_role("listitem").filter(has_text=customer.name).filter(has=reason)


def _figures(page: Page, look: Look, customer: Customer) -> Locator:
    return page.get_by_role("term").filter(has_text=look.says("Active customers", "活跃客户"))


def _connected(page: Page, look: Look, customer: Customer) -> Locator:
    connected = look.says("WhatsApp is connected", "WhatsApp 已连接")
    return page.get_by_role("heading", name=connected, exact=True)


def _agents(page: Page, look: Look, customer: Customer) -> Locator:
    return page.get_by_text(look.says("There are no accounts yet.", "还没有账号。"))


def _no_page(page: Page, look: Look, customer: Customer) -> Locator:
    return page.get_by_role("link", name=look.says("To the inbox", "前往收件箱"))


PAGES: dict[str, Ready] = {
    "/app/failed/": _unsent,
    "/app/figures/": _figures,
    "/app/pairing/": _connected,
    "/app/settings/": _agents,
    "/404/": _no_page,
}
"""What each shows once its data is there; test_sign_in.py looks at the way in."""


@pytest.fixture
def customer(shop: Shop) -> Iterator[Customer]:
    """One with a message of each kind, who is gone afterwards: others count what failed."""
    customer = shop.customer("Amara Okafor")
    noted = {"remark": "Wants blue", "extra_fields": {"size": "M"}, "status": "waiting"}
    shop.api.patch(f"/customers/{customer.id}", json=noted).raise_for_status()
    shop.write(customer, "Is it in stock? https://shop.example/jacket", "مرحبا، كم السعر؟")
    sent = [shop.answer(customer, text)["id"] for text in ("Yes", "In blue", "Or red", "Ok?")]
    eventually(lambda: _have_been_read(shop, customer), timeout=60)
    assert shop.change(
        sent[1], was="mapped", dispatch="failed", error="The phone is not on WhatsApp."
    )
    assert shop.change(sent[2], was="mapped", dispatch="unknown", error="No answer came.")
    assert shop.change(sent[3], was="mapped", dispatch="cancelled")
    yield customer
    shop.erase(customer)


def _have_been_read(shop: Shop, customer: Customer) -> bool:
    sent = [each for each in shop.messages(customer) if each["direction"] == "outbound"]
    return all(each["status"] == "read" for each in sent)


def _open(open_inbox: OpenInbox, look: Look, **options: object) -> Inbox:
    return open_inbox(live=look.says("Live", "实时更新中"), **look.options, **options)


@pytest.mark.parametrize("look", LOOKS, ids=str)
@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing_serious_in_the_inbox(
    open_inbox: OpenInbox, customer: Customer, state: str, look: Look
) -> None:
    inbox = _open(open_inbox, look)
    STATES[state](inbox, look, customer)
    expect_no_grave_fault(inbox, f"{state}-{look.scheme}")


@pytest.mark.parametrize("look", LOOKS, ids=str)
@pytest.mark.parametrize("state", ON_A_PHONE)
def test_axe_finds_nothing_serious_on_a_phone(
    open_inbox: OpenInbox, customer: Customer, state: str, look: Look
) -> None:
    inbox = _open(open_inbox, look, viewport=PHONE, has_touch=True, is_mobile=True)
    STATES[state](inbox, look, customer)
    expect_no_grave_fault(inbox, f"phone-{state}-{look.scheme}")


@pytest.mark.parametrize("look", LOOKS, ids=str)
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_serious_on_the_other_pages(
    open_inbox: OpenInbox, customer: Customer, path: str, look: Look
) -> None:
    inbox = _open(open_inbox, look)
    inbox.page.goto(inbox.address + path)
    expect(PAGES[path](inbox.page, look, customer)).to_be_visible()
    expect_no_grave_fault(inbox, f"{path.strip('/').replace('/', '-')}-{look.scheme}")
