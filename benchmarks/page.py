"""Measures the page in a real Chromium beside its targets, and prints a table.

python -m benchmarks.page                       5,000 customers, one chat of 20,000 messages
python -m benchmarks.page --samples 5 --long 2000   a quick look
"""

import argparse
import gzip
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import quantiles
from typing import NoReturn
from urllib.parse import urlsplit

import httpx
from playwright.sync_api import Browser

from benchmarks.browsing import Frames, Visitor
from benchmarks.dataset import Dataset
from benchmarks.machine import describe_machine
from benchmarks.streams import Streams
from config.settings import PROJECT_ROOT
from tests.kit.browser import chromium
from tests.kit.redis_server import RedisServer
from tests.kit.stack import Stack

BUILT = PROJECT_ROOT / "frontend" / "out"
LONG = 1
"""The customer with the long chat."""
EVENTS_A_SECOND = 5
EVENTS = 100
STUTTER = 50.0
KEYS = 100
SCROLL_PATIENCE = 900.0
JAVASCRIPT = 250
"""KiB, gzipped."""


@dataclass(frozen=True, slots=True)
class PageDataset(Dataset):
    """One chat is long; the others share the rest."""

    long: int = 20_000

    def _owners(self, chance: Random) -> list[int]:
        rest = self.messages - self.long
        owners = [LONG] * self.long + [2 + n % (self.customers - 1) for n in range(rest)]
        chance.shuffle(owners)
        return owners


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the report: what was seen, and how much of it may be at most."""

    name: str
    seen: list[float]
    target: float | None = None
    unit: str = "ms"


def main() -> None:
    """Measure and print."""
    options = _parse()
    dataset = PageDataset(
        customers=options.customers, messages=options.messages + options.long, long=options.long
    )
    with ExitStack() as stack:
        browser = stack.enter_context(chromium(_lacking))
        running = stack.enter_context(_running(dataset))
        stack.enter_context(Streams(running.ports["web"], options.streams))
        lines = list(_measure(browser, running, options))
        version = browser.version
    print(
        f"# The page: {dataset.customers:,} customers, {dataset.messages:,} messages, "
        f"{options.long:,} of them in one chat; {options.streams} other event streams open\n"
    )
    print("\n".join(describe_machine("everything shares them, Chromium too")))
    print(f"- Chromium {version}, headless\n\n" + "\n".join(_table(lines)))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.page",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--customers", type=int, default=5_000)
    parser.add_argument("--messages", type=int, default=80_000, help="of all the other chats")
    parser.add_argument("--long", type=int, default=20_000, help="messages of the long chat")
    parser.add_argument("--streams", type=int, default=100)
    parser.add_argument("--samples", type=int, default=20)
    return parser.parse_args()


def _lacking(sentence: str) -> NoReturn:
    raise SystemExit(sentence)


@contextmanager
def _running(dataset: Dataset) -> Iterator[Stack]:
    """The web process and the page's own server, on a filled database."""
    if not (BUILT / "index.html").exists():
        raise SystemExit("The page is not built: python -m config.setup_frontend")
    with tempfile.TemporaryDirectory(prefix="crm-page-") as room, ExitStack() as ends:
        redis = RedisServer(Path(room) / "redis")
        settings = {"LOG_LEVEL": "WARNING", "RATE_LIMIT": "1000000/minute"}
        stack = Stack(Path(room), redis=redis, settings=settings)
        ends.callback(redis.end)
        ends.callback(stack.end)
        redis.start()
        stack.var_dir.mkdir()
        stack.release()
        dataset.build(stack.database_url)
        for name in ("web", "frontend"):
            stack.program(name).start()
        for name in ("web", "frontend"):
            stack.wait_until_up(name)
        yield stack


def _measure(browser: Browser, running: Stack, options: argparse.Namespace) -> Iterator[Line]:
    page, api = running.url("frontend"), running.url("web")
    samples: int = options.samples
    yield from _first_paints(browser, page, samples)
    yield from _switches(browser, page, samples)
    yield _events(browser, page, api)
    yield from _long_chat(browser, page, api, samples)


def _first_paints(browser: Browser, address: str, samples: int) -> Iterator[Line]:
    first, again = list[float](), list[float]()
    for _ in range(samples):
        visitor = Visitor(browser, address)
        first.append(visitor.open())
        again.append(visitor.open())
        scripts = visitor.scripts
        visitor.close()
    yield Line("list on the screen, first visit", first, 1500)
    yield Line("list on the screen, again", again, 1500)
    yield Line("JavaScript of the inbox, gzipped", [_kibibytes(scripts)], JAVASCRIPT, "KiB")
    everything = {path.relative_to(BUILT).as_posix() for path in BUILT.rglob("*.js")}
    yield Line("JavaScript of all pages together, gzipped", [_kibibytes(everything)], None, "KiB")


def _kibibytes(addresses: set[str]) -> float:
    files = [BUILT / urlsplit(each).path.lstrip("/") for each in addresses]
    return sum(len(gzip.compress(file.read_bytes())) for file in files if file.exists()) / 1024


def _switches(browser: Browser, address: str, samples: int) -> Iterator[Line]:
    visitor = Visitor(browser, address)
    visitor.open()
    fresh, known = list[float](), list[int]()
    for customer_id in visitor.unseen_rows():
        if len(known) == samples:
            break
        if customer_id != LONG:
            fresh.append(visitor.switch_to(customer_id))
            known.append(customer_id)
    in_view = [each for each in visitor.rows() if each in known]
    again = visitor.switch_back_and_forth(in_view, samples)
    visitor.close()
    yield Line("another chat, for the first time", fresh, 150)
    yield Line("another chat, seen before", again, 150)


def _events(browser: Browser, address: str, api: str) -> Line:
    """From before the request to the text on the screen."""
    visitor = Visitor(browser, address)
    visitor.open(f"/?c={LONG}")
    visitor.page.get_by_label("Message", exact=True).wait_for()
    seen = []
    with httpx.Client(base_url=api, trust_env=False) as client:
        for number in range(EVENTS):
            text = f"event {number} of {EVENTS}."
            visitor.wait_for_text(text)
            started = time.time()
            _write(client, LONG, text)
            seen.append((visitor.shown_at() - started) * 1000)
    visitor.close()
    return Line("an event: request to screen", seen, 300)


def _long_chat(browser: Browser, address: str, api: str, samples: int) -> Iterator[Line]:
    """All its messages are brought to the page first, then somebody writes in it."""
    visitor = Visitor(browser, address)
    visitor.open(f"/?c={LONG}")
    visitor.page.get_by_label("Message", exact=True).wait_for()
    typing, scrolling = Frames(), Frames()
    with visitor.watching(scrolling):
        seconds = visitor.scroll_to_the_first_message(SCROLL_PATIENCE)
    yield Line("scrolling up through the long chat", [seconds], None, "s")
    yield Line("… between two frames", scrolling.gaps)
    visitor.page.get_by_role("button", name="To the newest message").click()
    with _somebody_writes(api), visitor.watching(typing):
        visitor.type(KEYS)
    yield Line("typing in it, 5 events a second: key to screen", typing.keys)
    yield Line("… between two frames", typing.gaps, STUTTER)
    other = next(each for each in visitor.rows() if each != LONG)
    visitor.switch_to(other)
    there = []
    for _ in range(samples):
        there.append(visitor.switch_to(LONG))
        visitor.switch_to(other)
    visitor.close()
    yield Line("back to it, after all of it was loaded", there, 150)


@contextmanager
def _somebody_writes(api: str) -> Iterator[None]:
    """Customers write meanwhile, every other time in the long chat."""
    is_over = threading.Event()

    def write() -> None:
        with httpx.Client(base_url=api, trust_env=False) as client:
            number = 0
            while not is_over.wait(1 / EVENTS_A_SECOND):
                number += 1
                _write(client, LONG if number % 2 else 1 + number, f"While you write, {number}.")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        is_over.set()
        writer.join()


def _write(client: httpx.Client, customer_id: int, text: str) -> None:
    body = {"phone": f"6012{customer_id:07d}", "content": text}
    client.post("/messages/inbox", json=body).raise_for_status()


def _table(lines: list[Line]) -> Iterator[str]:
    yield "| | n | median | p95 | most | target | met |"
    yield "|---|---:|---:|---:|---:|---:|---|"
    for line in lines:
        median, p95 = _percentiles(line.seen)
        # A stutter is the longest gap; of all else 95 of 100 count.
        held = max(line.seen) if line.target == STUTTER else p95
        yield (
            f"| {line.name} | {len(line.seen)} | {median:.0f} {line.unit} | {p95:.0f} "
            f"| {max(line.seen):.0f} | {f'< {line.target:g}' if line.target else ''} "
            f"| {'' if line.target is None else 'yes' if held < line.target else 'NO'} |"
        )


def _percentiles(seen: list[float]) -> tuple[float, float]:
    if len(seen) < 2:
        return seen[0], seen[0]
    cuts = quantiles(seen, n=100, method="inclusive")
    return cuts[49], cuts[94]


if __name__ == "__main__":
    main()
