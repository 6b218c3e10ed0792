"""One round of measurements of whatever answers at an address, with event streams open."""

import itertools
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx

from benchmarks.dataset import LONG_CHATS, Dataset
from benchmarks.streams import Arrival, Streams
from benchmarks.target import Target

WARM_UP = 20
CLIENTS = 8
"""Threads of the throughput runs; they share the machine with what they measure."""
THROUGHPUT_SECONDS = 3.0
EVENT_SENDS, EVENT_PAUSE = 50, 0.1
TIMEOUT = 30.0
Call = Callable[[httpx.Client], int]
"""One request; returns the id of what it made, or 0."""


@dataclass(slots=True)
class Figures:
    """What was seen of one thing: seconds each time, and what the runs made of it."""

    seconds: list[float] = field(default_factory=list)
    per_second: list[float] = field(default_factory=list)
    """Requests a second with `CLIENTS` connections, a run each."""
    cpu_seconds: list[float] = field(default_factory=list)
    """Processor time of the web processes for one request, a run each: whatever else the machine
    does meanwhile, this stays."""

    def add(self, other: "Figures") -> None:
        """Take another round's figures in."""
        self.seconds += other.seconds
        self.per_second += other.per_second
        self.cpu_seconds += other.cpu_seconds


Round = dict[str, Figures]
"""By the name of what was measured, in the order of the report."""


def measure_round(target: Target, dataset: Dataset, *, streams: int, samples: int) -> Round:
    """Open the streams, then measure everything once."""
    base_url, calls = target.base_url, _calls(dataset)
    with Streams(base_url, streams) as opened:
        found: Round = {}
        for name, (call, share) in calls.items():
            spent = target.cpu_seconds()
            seconds = _latencies(base_url, call, max(10, round(samples * share)))
            spent = (target.cpu_seconds() - spent) / (len(seconds) + WARM_UP)
            found[name] = Figures(seconds, [_throughput(base_url, call)], [spent])
        found["stream: first byte"] = Figures(opened.first_bytes)
        sent = _send_slowly(base_url, calls["send a message"][0])
        found |= _event_figures(sent, opened.close())
    return found


def _calls(dataset: Dataset) -> dict[str, tuple[Call, float]]:
    """Each request, and which share of the samples it gets: the heavy ones get fewer."""
    long_chats = itertools.cycle(range(1, min(LONG_CHATS, dataset.customers - 1) + 1))
    customers = itertools.cycle(range(1, dataset.customers + 1))

    def get(path: Callable[[], str]) -> Call:
        def read(client: httpx.Client) -> int:
            client.get(path()).raise_for_status()
            return 0

        return read

    def send(client: httpx.Client) -> int:
        body = {"customer_id": next(customers), "content": "Hello, how are you? 你好"}
        answer = client.post("/messages/send", json=body).raise_for_status()
        return int(answer.json()["id"])

    return {
        "list: page of 50": (get(lambda: "/customers/summary?limit=50"), 1.0),
        "list: whole": (get(lambda: "/customers/summary"), 0.1),
        "history: page of 200": (get(lambda: f"/messages/{next(long_chats)}?limit=200"), 1.0),
        "history: whole (1,000)": (get(lambda: f"/messages/{next(long_chats)}"), 0.5),
        "send a message": (send, 1.0),
    }


def _client(base_url: str) -> httpx.Client:
    return httpx.Client(base_url=base_url, timeout=TIMEOUT, trust_env=False)


def _latencies(base_url: str, call: Call, count: int) -> list[float]:
    """One request after the other over one connection."""
    with _client(base_url) as client:
        for _ in range(WARM_UP):
            call(client)
        return [_timed(call, client) for _ in range(count)]


def _timed(call: Call, client: httpx.Client) -> float:
    started = time.perf_counter()
    call(client)
    return time.perf_counter() - started


def _throughput(base_url: str, call: Call) -> float:
    """Requests a second with `CLIENTS` connections at once."""
    until = time.monotonic() + THROUGHPUT_SECONDS

    def go_on(_: int) -> int:
        with _client(base_url) as client:
            return sum(1 for _ in _while_before(until, lambda: call(client)))

    started = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as pool:
        done = sum(pool.map(go_on, range(CLIENTS)))
    return done / (time.monotonic() - started)


def _while_before(until: float, step: Callable[[], object]) -> Iterator[None]:
    while time.monotonic() < until:
        step()
        yield


def _send_slowly(base_url: str, send: Call) -> dict[int, tuple[float, float]]:
    """By message id: when its request left, and when its answer was here."""
    time.sleep(2)  # what the throughput run left behind reaches the streams first
    sent = {}
    with _client(base_url) as client:
        for _ in range(EVENT_SENDS):
            started = time.monotonic()
            message_id = send(client)
            sent[message_id] = (started, time.monotonic())
            time.sleep(EVENT_PAUSE)
    time.sleep(1)
    return sent


def _event_figures(sent: dict[int, tuple[float, float]], arrivals: list[Arrival]) -> Round:
    """Every arrival on every stream counts. The answer leaves right after the commit."""
    ours = [(sent[message_id], at) for message_id, at in arrivals if message_id in sent]
    return {
        "event: request to client": Figures([at - started for (started, _), at in ours]),
        "event: commit to client": Figures([max(0.0, at - done) for (_, done), at in ours]),
    }
