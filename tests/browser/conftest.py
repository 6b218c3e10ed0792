"""A real Chromium before the real processes; the page is built from the present sources."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from config.settings import PROJECT_ROOT
from tests.browser.inbox import Inbox
from tests.browser.shop import GOOD_BEHAVIOUR, Shop
from tests.kit.redis_server import RedisServer
from tests.kit.stack import Stack

PATIENCE_MS = 30_000
SETTINGS = {"SIMULATOR_PEOPLE": "false", "SEND_RETRY_BASE": "0.5"}
OpenInbox = Callable[..., Inbox]
NewContext = Callable[..., BrowserContext]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each of them starts real processes, and the first one may have to build the page."""
    for item in items:
        if PROJECT_ROOT / "tests" / "browser" in item.path.parents:
            item.add_marker(pytest.mark.processes)
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def built_page() -> None:
    """The page of the present sources; test processes that run side by side build it once."""
    command = [sys.executable, "-m", "config.setup_frontend"]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """Only as long as these tests run: it keeps an event loop running in this thread."""
    with sync_playwright() as running:
        expect.set_options(timeout=PATIENCE_MS)
        yield running


@pytest.fixture(scope="package")
def chromium(playwright: Playwright, lacking: Callable[[str], NoReturn]) -> Iterator[Browser]:
    """The machine's own Chromium."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        lacking("There is no chromium on PATH.")
    arguments = ["--no-sandbox"] if os.getuid() == 0 else []
    browser = playwright.chromium.launch(executable_path=program, args=arguments)
    yield browser
    browser.close()


@contextmanager
def running_stack(factory: pytest.TempPathFactory, *names: str, **settings: str) -> Iterator[Stack]:
    """The Procfile's processes with a Redis of their own."""
    place = factory.mktemp("stack")
    redis = RedisServer(place / "redis")
    stack = Stack(place / "stack", redis=redis, settings=SETTINGS | settings)
    redis.start()
    try:
        stack.start(*names)
        yield stack
    finally:
        stack.end()
        redis.end()


@pytest.fixture(scope="package")
def stack(built_page: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Shared: a test that stops something of it starts it again."""
    names = ("web", "worker", "beat", "gateway", "frontend")
    with running_stack(tmp_path_factory, *names) as stack:
        yield stack


@pytest.fixture
def shop(stack: Stack) -> Iterator[Shop]:
    """Everybody but the page's user, and a WhatsApp that behaves."""
    shop = Shop(stack)
    shop.misbehave(**GOOD_BEHAVIOUR)
    yield shop
    shop.close()


class Watch:
    """What no page may ever do: raise, run into its content policy, or ask anybody else."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def follow(self, context: BrowserContext) -> None:
        context.on("weberror", lambda error: self.faults.append(f"raised: {error.error}"))
        context.on("dialog", lambda dialog: (self.faults.append(dialog.message), dialog.dismiss()))
        context.on("console", self._hear)
        context.on("request", lambda request: self._see(request.url))

    def _hear(self, message: Any) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            self.faults.append(message.text)

    def _see(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"} and parts.hostname != "127.0.0.1":
            self.faults.append(f"asked a stranger: {url}")


@pytest.fixture
def new_context(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Makes browsers that share nothing: `new_context(locale="zh-CN")`."""
    contexts, watch = list[BrowserContext](), Watch()

    def make(**options: Any) -> BrowserContext:
        chosen = {"locale": "en-GB", "viewport": {"width": 1280, "height": 800}} | options
        context = chromium.new_context(**chosen)
        context.set_default_timeout(PATIENCE_MS)
        watch.follow(context)
        contexts.append(context)
        return context

    yield make
    if getattr(request.node, "has_failed", False):
        for number, page in enumerate(page for each in contexts for page in each.pages):
            _keep(page, f"{request.node.name}-{number}")
    for context in contexts:
        context.close()
    assert not watch.faults, watch.faults


def _keep(page: Page, name: str) -> None:
    Inbox(page, "").shoot(f"failed/{name}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    if report.when == "call":
        item.has_failed = report.failed  # type: ignore[attr-defined]
    return report


@pytest.fixture
def open_inbox(new_context: NewContext, stack: Stack) -> OpenInbox:
    """Opens a tab: in a browser of its own, or beside the tabs of the browser that is given."""

    def open_tab(
        path: str = "/", *, beside: BrowserContext | None = None, live: str = "Live", **options: Any
    ) -> Inbox:
        context = beside or new_context(**options)
        inbox = Inbox(context.new_page(), stack.url("frontend"))
        inbox.open(path, live=live)
        return inbox

    return open_tab


@pytest.fixture
def inbox(open_inbox: OpenInbox) -> Inbox:
    return open_inbox()
