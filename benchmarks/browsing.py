"""What somebody at the page does, timed inside a real Chromium."""

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Page, Request

CLOCK = Path(__file__).with_name("clock.js").read_text()
SCREEN = {"width": 1280, "height": 800}
TYPED = "The quick brown fox jumps over the lazy dog, and asks for the price of a blue jacket in "
KEY_PAUSE = 0.06
WHEEL = 2_500
"""Pixels of one turn of the wheel."""


@dataclass(slots=True)
class Frames:
    """Milliseconds between frames, and from a key to the frame that shows it."""

    gaps: list[float] = field(default_factory=list)
    keys: list[float] = field(default_factory=list)


class Visitor:
    """A page in a browser profile of its own; `scripts` are the scripts that it asked for."""

    def __init__(self, browser: Browser, address: str) -> None:
        self._context = browser.new_context(viewport=SCREEN, reduced_motion="reduce")
        self._context.add_init_script(CLOCK)
        self._address = address
        self.page: Page = self._context.new_page()
        self.page.set_default_timeout(60_000)
        self.scripts: set[str] = set()
        self.page.on("request", self._note)

    def close(self) -> None:
        self._context.close()

    def open(self, path: str = "/") -> float:
        """Milliseconds from the navigation to the first customer on the screen."""
        self.page.goto(self._address + path)
        return self._number("bench.firstRow")

    def switch_to(self, customer_id: int) -> float:
        """Milliseconds from a click on a row to the chat's first message on the screen."""
        row = self.page.locator(f'[data-customer-row="{customer_id}"]')
        self.page.evaluate("void (window.shown = bench.switched())")
        row.click()
        return self._number("shown")

    def rows(self) -> list[int]:
        """The customers whose rows are in full view."""
        found: list[int] = self.page.evaluate("bench.rows()")
        return found

    def unseen_rows(self) -> Iterator[int]:
        """Customers from the top of the list down; their rows are in view."""
        known = set[int]()
        while True:
            fresh = [each for each in self.rows() if each not in known]
            known.update(fresh)
            yield from fresh
            self.page.mouse.move(200, 500)
            self.page.mouse.wheel(0, 400)
            self.page.wait_for_timeout(200)

    def switch_back_and_forth(self, ids: list[int], times: int) -> list[float]:
        """Between chats that were open before."""
        return [self.switch_to(each) for each in itertools.islice(itertools.cycle(ids), times)]

    def wait_for_text(self, text: str) -> None:
        self.page.evaluate("text => void (window.shown = bench.says(text))", text)

    def shown_at(self) -> float:
        """When it was on the screen, in seconds since the epoch."""
        return self._number("shown") / 1000

    @contextmanager
    def watching(self, into: Frames) -> Iterator[None]:
        """Counts frames inside the block."""
        self.page.evaluate("bench.watch()")
        yield
        seen = self.page.evaluate("bench.stop()")
        into.gaps += seen["gaps"]
        into.keys += seen["keys"]

    def type(self, count: int) -> None:
        """So many characters in the composer, at the pace of a fast writer; then none."""
        field = self.page.get_by_label("Message", exact=True)
        field.focus()
        for character in itertools.islice(itertools.cycle(TYPED), count):
            self.page.keyboard.press(character)
            time.sleep(KEY_PAUSE)
        field.fill("")

    def scroll_to_the_first_message(self, patience: float) -> float:
        """Up through the whole chat with the wheel; seconds."""
        self.page.mouse.move(800, 400)
        started = time.monotonic()
        still = 0
        while still < 30:
            self.page.mouse.wheel(0, -WHEEL)
            self.page.wait_for_timeout(16)
            still = still + 1 if self._number("bench.above()") <= 1 else 0
            if time.monotonic() - started > patience:
                raise SystemExit("The beginning of the long chat was not reached.")
        return time.monotonic() - started

    def _number(self, script: str) -> float:
        value: float = self.page.evaluate(script)
        return value

    def _note(self, request: Request) -> None:
        if request.resource_type == "script":
            self.scripts.add(request.url)
