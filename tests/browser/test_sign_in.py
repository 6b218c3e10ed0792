"""Where agents must sign in: the way in, and a session that ends while something is written."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import LOOKS, Look, expect_no_grave_fault
from tests.browser.conftest import NewContext, running_stack
from tests.browser.inbox import Inbox
from tests.browser.shop import Customer, Shop, new_phone
from tests.kit.stack import Stack
from tests.kit.waiting import eventually

NAMES = ("web", "worker", "beat", "gateway", "frontend")
LOGIN = re.compile("^(Login|账号)$")
PASSWORD = re.compile("^(Password|密码)$")
SIGN_IN = re.compile("^(Sign in|登录)$")
_numbers = count(1)


@dataclass(frozen=True)
class Agent:
    login: str
    password: str


@pytest.fixture(scope="module")
def stack(built_page: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One of its own, that wants people to sign in."""
    with running_stack(tmp_path_factory, *NAMES, AUTH_REQUIRED="true") as stack:
        yield stack


@pytest.fixture
def agent(stack: Stack) -> Agent:
    """One of this test's own: so many sign-ins of all tests would be too many for one account."""
    login = f"mia{next(_numbers)}"
    return Agent(login, stack.command("agents", "create", login, "--name", "Mia").split()[-1])


@pytest.fixture
def shop(stack: Stack, agent: Agent) -> Iterator[Shop]:
    """Another browser of the same agent."""
    shop = Shop(stack)
    me = shop.api.post("/auth/login", json={"login": agent.login, "password": agent.password})
    shop.api.headers["X-CSRF-Token"] = me.raise_for_status().json()["csrf_token"]
    yield shop
    shop.close()


@pytest.fixture
def customer(shop: Shop) -> Customer:
    customer = shop.customer(f"Cik Puan {new_phone()}")
    shop.write(customer, "hello")
    return customer


def sign_in(page: Page, agent: Agent) -> None:
    page.get_by_label(LOGIN).fill(agent.login)
    page.get_by_label(PASSWORD).fill(agent.password)
    page.get_by_role("button", name=SIGN_IN).click()


def end_sessions(shop: Shop) -> None:
    """All of the agent's, the page's too."""
    shop.api.post("/auth/logout_everywhere").raise_for_status()
    eventually(lambda: shop.api.get("/auth/me").status_code == 401)


@pytest.mark.parametrize("server", ["frontend", "web"])
def test_a_stranger_signs_in_and_lands_in_the_chat_that_they_asked_for(
    stack: Stack, customer: Customer, agent: Agent, new_context: NewContext, server: str
) -> None:
    """From the page's own server, and where one address is both the page and the API."""
    inbox = Inbox(new_context().new_page(), stack.url(server))
    inbox.page.goto(f"{inbox.address}/?c={customer.id}")
    expect(inbox.page.get_by_role("heading", name="Sign in to the inbox")).to_be_visible()
    expect(inbox.page.get_by_text("hello")).to_have_count(0)
    inbox.shoot("sign-in")
    sign_in(inbox.page, replace(agent, password="not the password"))
    expect(
        inbox.page.get_by_role("alert").get_by_text("Login or password is wrong")
    ).to_be_visible()
    sign_in(inbox.page, agent)
    expect(inbox.bubble("hello")).to_be_visible()
    inbox.write("signed in and answered")
    inbox.expect_state("signed in and answered", "Read")
    expect(inbox.bubble("signed in and answered").get_by_text("You")).to_be_visible()


def test_a_session_that_ends_is_asked_for_over_the_page_and_no_draft_is_lost(
    shop: Shop, customer: Customer, agent: Agent, new_context: NewContext
) -> None:
    inbox = Inbox(new_context().new_page(), shop.stack.url("frontend"))
    inbox.page.goto(f"{inbox.address}/?c={customer.id}")
    sign_in(inbox.page, agent)
    inbox.composer.fill("half a sentence, ")
    end_sessions(shop)
    inbox.composer.press("Enter")
    asked = inbox.page.get_by_role("dialog", name="Sign in")
    expect(asked.get_by_text("Your session is over.")).to_be_visible()
    inbox.page.keyboard.press("Escape")
    expect(asked).to_be_visible()
    inbox.shoot("session-over")
    sign_in(inbox.page, agent)
    expect(asked).to_have_count(0)
    inbox.expect_state("half a sentence,", "Read")


def test_a_draft_outlives_a_session_that_ended_while_it_was_written(
    shop: Shop, customer: Customer, agent: Agent, new_context: NewContext
) -> None:
    inbox = Inbox(new_context().new_page(), shop.stack.url("frontend"))
    inbox.page.goto(f"{inbox.address}/?c={customer.id}")
    sign_in(inbox.page, agent)
    inbox.composer.fill("not sent yet")
    end_sessions(shop)
    inbox.page.reload()
    # On a page of its own, or over the inbox where the server still knew the session just now.
    expect(inbox.page.get_by_role("heading", name=re.compile("^Sign in"))).to_be_visible(
        timeout=60_000
    )
    sign_in(inbox.page, agent)
    expect(inbox.composer).to_have_value("not sent yet")


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_axe_finds_nothing_serious_on_the_way_in_and_when_the_session_is_over(
    shop: Shop, customer: Customer, agent: Agent, new_context: NewContext, look: Look
) -> None:
    inbox = Inbox(new_context(**look.options).new_page(), shop.stack.url("frontend"))
    inbox.page.goto(f"{inbox.address}/?c={customer.id}")
    expect(inbox.page.get_by_label(LOGIN)).to_be_visible()
    expect_no_grave_fault(inbox, f"sign-in-{look.scheme}")
    sign_in(inbox.page, replace(agent, password="not the password"))
    expect(inbox.page.get_by_role("alert").get_by_role("paragraph")).to_be_visible()
    expect_no_grave_fault(inbox, f"sign-in-refused-{look.scheme}")
    sign_in(inbox.page, agent)
    expect(inbox.bubble("hello")).to_be_visible()
    end_sessions(shop)
    # The composer has no name in common in both languages.
    inbox.page.get_by_role("main").get_by_role("textbox").last.press_sequentially("draft\n")
    expect(inbox.page.get_by_role("dialog").get_by_label(LOGIN)).to_be_visible()
    expect_no_grave_fault(inbox, f"session-over-{look.scheme}")
