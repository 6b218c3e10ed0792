"""axe finds no serious fault in any state of any page, light and dark, in both languages."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import create_engine, update

from config.addresses import normalize_database_url
from config.settings import PROJECT_ROOT
from crm.models import Message
from tests.browser.conftest import OpenInbox
from tests.browser.inbox import Inbox
from tests.browser.shop import Customer, Shop
from tests.kit.waiting import eventually

AXE = PROJECT_ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
RUN = "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"
GRAVE = {"serious", "critical"}
PHONE = {"width": 390, "height": 844}


@dataclass(frozen=True)
class Look:
    """How somebody has set up their browser, and the names that the page has for them there."""

    scheme: str
    locale: str
    live: str
    details: str
    new_chat: str


LOOKS = (
    Look("light", "en-GB", "Live", "Customer details", "New chat"),
    Look("dark", "zh-CN", "实时更新中", "客户详情", "新建会话"),
)
Prepare = Callable[[Inbox, Look, Customer], None]


def _open_chat(inbox: Inbox, look: Look, customer: Customer) -> None:
    inbox.page.goto(f"{inbox.address}/?c={customer.id}")
    expect(inbox.page.get_by_role("article")).to_have_count(6)


def _open_details(inbox: Inbox, look: Look, customer: Customer) -> None:
    _open_chat(inbox, look, customer)
    inbox.page.get_by_role("button", name=look.details).click()
    expect(inbox.page.get_by_role("complementary").get_by_text(customer.name)).to_be_visible()


def _begin_chat(inbox: Inbox, look: Look, customer: Customer) -> None:
    inbox.page.get_by_role("button", name=look.new_chat).click()
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
PAGES = ("/login/", "/app/failed/", "/app/figures/", "/app/pairing/", "/app/settings/", "/404/")


@pytest.fixture
def customer(shop: Shop) -> Customer:
    """One with a message of each kind."""
    customer = shop.customer("Amara Okafor")
    noted = {"remark": "Wants blue", "extra_fields": {"size": "M"}, "status": "waiting"}
    shop.api.patch(f"/customers/{customer.id}", json=noted).raise_for_status()
    shop.write(customer, "Is it in stock? https://shop.example/jacket", "مرحبا، كم السعر؟")
    sent = [shop.answer(customer, text)["id"] for text in ("Yes", "In blue", "Or red", "Ok?")]
    eventually(lambda: _have_been_read(shop, customer), timeout=60)
    _change(shop, sent[1], dispatch="failed", error="The phone is not on WhatsApp.")
    _change(shop, sent[2], dispatch="unknown", error="No answer came.")
    _change(shop, sent[3], dispatch="cancelled")
    return customer


def _have_been_read(shop: Shop, customer: Customer) -> bool:
    sent = [each for each in shop.messages(customer) if each["direction"] == "outbound"]
    return all(each["status"] == "read" for each in sent)


def _change(shop: Shop, message_id: int, **columns: object) -> None:
    engine = create_engine(normalize_database_url(shop.stack.database_url))
    with engine.begin() as connection:
        connection.execute(update(Message).where(Message.id == message_id).values(**columns))
    engine.dispose()


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look.scheme}-{look.locale}")
@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing_serious_in_the_inbox(
    open_inbox: OpenInbox, customer: Customer, state: str, look: Look
) -> None:
    inbox = open_inbox(live=look.live, locale=look.locale, color_scheme=look.scheme)
    STATES[state](inbox, look, customer)
    _expect_no_grave_fault(inbox, f"{state}-{look.scheme}")


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look.scheme}-{look.locale}")
@pytest.mark.parametrize("state", ON_A_PHONE)
def test_axe_finds_nothing_serious_on_a_phone(
    open_inbox: OpenInbox, customer: Customer, state: str, look: Look
) -> None:
    inbox = open_inbox(
        live=look.live,
        locale=look.locale,
        color_scheme=look.scheme,
        viewport=PHONE,
        has_touch=True,
        is_mobile=True,
    )
    STATES[state](inbox, look, customer)
    _expect_no_grave_fault(inbox, f"phone-{state}-{look.scheme}")


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look.scheme}-{look.locale}")
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_serious_on_the_other_pages(
    open_inbox: OpenInbox, customer: Customer, path: str, look: Look
) -> None:
    inbox = open_inbox(live=look.live, locale=look.locale, color_scheme=look.scheme)
    inbox.page.goto(inbox.address + path)
    expect(inbox.page.get_by_role("heading").first).to_be_visible()
    _expect_no_grave_fault(inbox, f"{path.strip('/').replace('/', '-')}-{look.scheme}")


def _expect_no_grave_fault(inbox: Inbox, name: str) -> None:
    inbox.shoot(f"accessible/{name}")
    assert _grave_faults(inbox.page) == []


def _grave_faults(page: Page) -> list[str]:
    """Each with the elements that have it."""
    page.evaluate(AXE.read_text())
    return [
        f"{fault['id']}: {fault['help']}: {node['target']} {node['failureSummary']}"
        for fault in page.evaluate(RUN)
        if fault["impact"] in GRAVE
        for node in fault["nodes"]
    ]
