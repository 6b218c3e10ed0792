"""Where agents must sign in: the way in, and a session that ends while something is written."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from config.settings import PROJECT_ROOT
from tests.browser.conftest import running_stack
from tests.browser.inbox import Inbox
from tests.browser.shop import Customer, Shop, new_phone
from tests.kit.stack import PATH, Stack
from tests.kit.waiting import eventually

NAMES = ("web", "worker", "beat", "gateway", "frontend")


def command(stack: Stack, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "agents", *arguments],
        env={"PATH": PATH, **stack.environment},
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout


@pytest.fixture(scope="module")
def stack(built_page: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One of its own, that wants people to sign in."""
    with running_stack(tmp_path_factory, *NAMES, AUTH_REQUIRED="true") as stack:
        yield stack


@pytest.fixture(scope="module")
def password(stack: Stack) -> str:
    """Mia's, as the command shows it once."""
    return command(stack, "create", "mia", "--name", "Mia").split()[-1]


@pytest.fixture
def shop(stack: Stack, password: str) -> Iterator[Shop]:
    """Somebody else's browser, signed in as Mia too."""
    shop = Shop(stack)
    me = shop.api.post("/auth/login", json={"login": "mia", "password": password})
    shop.api.headers["X-CSRF-Token"] = me.raise_for_status().json()["csrf_token"]
    yield shop
    shop.close()


@pytest.fixture
def customer(shop: Shop) -> Customer:
    customer = shop.customer(f"Cik Puan {new_phone()}")
    shop.write(customer, "hello")
    return customer


def sign_in(page: Page, password: str) -> None:
    page.get_by_label("Login").fill("mia")
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_a_stranger_signs_in_and_lands_in_the_chat_that_they_asked_for(
    stack: Stack, customer: Customer, password: str, new_context: Callable[..., BrowserContext]
) -> None:
    inbox = Inbox(new_context().new_page(), stack.url("frontend"))
    inbox.page.goto(f"{inbox.address}/?c={customer.id}")
    expect(inbox.page.get_by_role("heading", name="Sign in to the inbox")).to_be_visible()
    expect(inbox.page.get_by_text("hello")).to_have_count(0)
    inbox.shoot("sign-in")
    sign_in(inbox.page, "not the password")
    expect(
        inbox.page.get_by_role("alert").get_by_text("Login or password is wrong")
    ).to_be_visible()
    sign_in(inbox.page, password)
    expect(inbox.bubble("hello")).to_be_visible()
    inbox.write("signed in and answered")
    inbox.expect_state("signed in and answered", "Read")
    expect(inbox.bubble("signed in and answered").get_by_text("You")).to_be_visible()


def test_a_session_that_ends_is_asked_for_over_the_page_and_no_draft_is_lost(
    shop: Shop, customer: Customer, password: str, new_context: Callable[..., BrowserContext]
) -> None:
    inbox = Inbox(new_context().new_page(), shop.stack.url("frontend"))
    inbox.page.goto(f"{inbox.address}/?c={customer.id}")
    sign_in(inbox.page, password)
    inbox.composer.fill("half a sentence, ")
    shop.api.post("/auth/logout_everywhere").raise_for_status()
    eventually(lambda: shop.api.get("/auth/me").status_code == 401)
    inbox.composer.press("Enter")
    asked = inbox.page.get_by_role("dialog", name="Sign in")
    expect(asked.get_by_text("Your session is over.")).to_be_visible()
    inbox.page.keyboard.press("Escape")
    expect(asked).to_be_visible()
    inbox.shoot("session-over")
    sign_in(inbox.page, password)
    expect(asked).to_have_count(0)
    inbox.expect_state("half a sentence,", "Read")


def test_a_draft_outlives_a_session_that_ended_while_it_was_written(
    shop: Shop, customer: Customer, password: str, new_context: Callable[..., BrowserContext]
) -> None:
    inbox = Inbox(new_context().new_page(), shop.stack.url("frontend"))
    inbox.page.goto(f"{inbox.address}/?c={customer.id}")
    sign_in(inbox.page, password)
    inbox.composer.fill("not sent yet")
    shop.api.post("/auth/logout_everywhere").raise_for_status()
    eventually(lambda: shop.api.get("/auth/me").status_code == 401)
    inbox.page.reload()
    # On a page of its own, or over the inbox where the server still knew the session just now.
    expect(inbox.page.get_by_role("heading", name=re.compile("^Sign in"))).to_be_visible(
        timeout=60_000
    )
    sign_in(inbox.page, password)
    expect(inbox.composer).to_have_value("not sent yet")
