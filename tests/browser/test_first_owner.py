"""The first start in production: its link makes the owner, who lands in the inbox, signed in."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewContext, running_stack
from tests.browser.inbox import Inbox
from tests.kit.accounts import PASSWORD
from tests.kit.stack import PRODUCTION, Stack
from tests.kit.waiting import eventually

LINK = re.compile(r"http://\S+/auth/setup\?token=\S+")


@pytest.fixture(scope="module")
def stack(built_page: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One of its own, which nobody has an account at yet."""
    with running_stack(tmp_path_factory, "web", **PRODUCTION) as stack:
        yield stack


def fill_in(page: Page) -> None:
    page.get_by_label("Name", exact=True).fill("Mia Wong")
    page.get_by_label("Login").fill("mia")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create the account").click()


def test_the_printed_link_makes_the_owner_who_lands_in_the_inbox_and_works_once(
    stack: Stack, new_context: NewContext
) -> None:
    web = stack.programs["web"]
    eventually(lambda: LINK.search(web.output()), timeout=60)
    (link,) = LINK.findall(web.output())
    inbox = Inbox(new_context().new_page(), stack.url("web"))
    inbox.page.goto(link)
    expect(inbox.page).to_have_url(stack.url("web", "/auth/setup"))  # without the secret
    inbox.shoot("first-owner")
    fill_in(inbox.page)
    expect(inbox.page).to_have_url(stack.url("web", "/"))
    expect(inbox.page.get_by_role("navigation").get_by_text("Live", exact=True)).to_be_attached()
    expect(inbox.page.get_by_text("Nobody has written yet.")).to_be_visible()
    inbox.open("/app/settings/")
    expect(inbox.page.get_by_role("listitem").filter(has_text="mia · Owner")).to_be_visible()

    late = new_context().new_page()
    late.goto(link)
    fill_in(late)
    expect(late.get_by_role("status")).to_contain_text("link")
    late.goto(stack.url("web"))
    expect(late.get_by_role("heading", name="Sign in to the inbox")).to_be_visible()
