"""A real Chromium, driven by Playwright, for tests and measurements of the page."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
NO_NETWORK = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
"""Whatever a page asks of other hosts fails at once."""


@contextmanager
def chromium(lacking: Callable[[str], NoReturn]) -> Iterator[Browser]:
    """The browser of this machine; `lacking` is told in a sentence that there is none."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        lacking("There is no Chromium on this machine (on Debian: apt-get install chromium).")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage", NO_NETWORK]
        )
        try:
            yield browser
        finally:
            browser.close()
