"""The page as somebody uses it: by the names that a screen reader says."""

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from config.settings import PROJECT_ROOT

SCREENS = PROJECT_ROOT / "test-results" / "screens"


class Inbox:
    """One tab of a browser."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address

    def open(self, path: str = "/", *, live: str = "Live") -> None:
        """Go to a page; returns when the event stream stands, which is `live` in its language."""
        self.page.goto(self.address + path)
        stands = self.page.get_by_role("navigation").get_by_text(live, exact=True)
        expect(stands).to_be_attached()

    @property
    def search(self) -> Locator:
        return self.page.get_by_role("searchbox", name="Search")

    @property
    def composer(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message", exact=True)

    @property
    def status(self) -> Locator:
        """What is said to be wrong, over the page."""
        return self.page.get_by_role("status")

    def row(self, name: str) -> Locator:
        """A customer in the list."""
        return (
            self.page.get_by_role("region", name="Customers")
            .get_by_role("listitem")
            .filter(has=self.page.get_by_text(name, exact=True))
            .get_by_role("button")
        )

    def open_chat(self, name: str) -> None:
        self.row(name).click()
        expect(self.chat(name)).to_be_visible()
        expect(self.composer).to_be_visible()

    def chat(self, name: str) -> Locator:
        return self.page.get_by_role("region", name=name, exact=True)

    def bubble(self, text: str | re.Pattern[str]) -> Locator:
        """A message, by what is written in it."""
        return self.page.get_by_role("article").filter(has=self.page.get_by_text(text, exact=True))

    def write(self, text: str) -> None:
        """Write and press Enter."""
        self.composer.fill(text)
        self.composer.press("Enter")

    def expect_state(self, text: str, state: str) -> None:
        """A message's ticks, as they are read out."""
        expect(self.bubble(text).get_by_text(state, exact=True)).to_be_attached()

    def expect_texts(self, *texts: str) -> None:
        """These are the newest lines of the chat, in this order."""
        lines = self.page.get_by_role("article")
        expect(lines).to_contain_text(list(texts))

    def expect_unread(self, name: str, count: int) -> None:
        """The row's number; 0 means that there is none."""
        mark = self.row(name).get_by_text(re.compile(r"\d+ unread"))
        if count:
            expect(mark).to_have_text(f"{count} unread")
        else:
            expect(mark).to_have_count(0)

    def shoot(self, name: str) -> Path:
        """Keep a picture of what is shown."""
        SCREENS.mkdir(parents=True, exist_ok=True)
        file = SCREENS / f"{name}.png"
        self.page.screenshot(path=file, animations="disabled")
        return file
