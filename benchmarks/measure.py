"""One turn of measurements of one target, with event streams open."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import httpx
import orjson

from benchmarks import operations
from benchmarks.databases import Databases
from benchmarks.dataset import Dataset
from benchmarks.load import Loader, Outcome, Plan
from benchmarks.operations import Operation
from benchmarks.streams import Arrival, Streams
from benchmarks.targets import Answers, Target

WARM_UP = 20
IDLE_LOOK = 2.0
"""Seconds of doing nothing, to know what is spent anyway."""
EVENT_SENDS, EVENT_PAUSE = 50, 0.1
HOP_BY_HOP = {"connection", "date", "server", "transfer-encoding", "content-length"}
Make = Callable[[str], Target]
"""A target on the database with this URL."""


@dataclass(slots=True)
class Figures:
    """What was seen of one thing: seconds each time, and what the runs made of it."""

    seconds: list[float] = field(default_factory=list)
    """Over one connection, one request after the other."""
    per_second: list[float] = field(default_factory=list)
    """Requests a second over several connections, a run each."""
    cpu_seconds: list[float] = field(default_factory=list)
    """Processor time of the web processes for one request, a run each, without what they spend
    when nobody asks: whatever else the machine does meanwhile, this changes least."""

    def add(self, other: "Figures") -> None:
        """Take another turn's figures in."""
        self.seconds += other.seconds
        self.per_second += other.per_second
        self.cpu_seconds += other.cpu_seconds


Round = dict[str, Figures]
"""By the name of what was measured, in the order of the report."""


@dataclass(slots=True)
class Turn:
    """What one target showed in its turn."""

    figures: Round = field(default_factory=dict)
    megabytes: list[float] = field(default_factory=list)
    """Web processes after the work, once for each database."""
    facts: dict[str, str] = field(default_factory=dict)
    answers: Answers = field(default_factory=dict)
    """The first answer to each request, for the floor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How long and how hard to look."""

    samples: int = 300
    seconds: float = 3.0
    connections: int = 8
    streams: int = 100


class Bench:
    """Databases, and a process that asks."""

    def __init__(self, databases: Databases, loader: Loader, effort: Effort) -> None:
        self._databases = databases
        self._loader = loader
        self._effort = effort

    def take_turn(self, make: Make, *, large: Dataset, small: Dataset, streams: int) -> Turn:
        """Pages, chats and sends on the large database, whole lists on the small one."""
        turn = Turn()
        self._on(make, large, turn, streams)
        self._on(make, small, turn, streams, whole_lists=True)
        return turn

    def _on(
        self, make: Make, dataset: Dataset, turn: Turn, streams: int, *, whole_lists: bool = False
    ) -> None:
        database = self._databases.copy(dataset)
        try:
            with make(database) as target, Streams(target.port, streams) as opened:
                found = operations.of_the_large_database(dataset)
                if whole_lists:
                    found = operations.of_the_small_database(_etag(target.base_url))
                idle = idle_share(target)
                turn.facts["web's processor time when nobody asks"] = f"{idle:.1%}"
                for operation in found:
                    turn.answers |= _record(target.base_url, operation)
                    turn.figures[operation.name] = self.measure(target, operation, idle=idle)
                if not whole_lists and streams:
                    send = found[-1].requests[0]
                    turn.figures["stream: first byte"] = Figures(opened.first_bytes)
                    sent = send_slowly(target.base_url, send)
                    turn.figures |= event_figures(sent, opened.close())
                turn.megabytes.append(target.megabytes())
                turn.facts |= target.facts()
        finally:
            self._databases.forget(database)

    def measure(self, target: Target, operation: Operation, *, idle: float = 0.0) -> Figures:
        """One request after the other, then over several connections at once."""
        plan = Plan(
            port=target.port,
            requests=operation.requests[:1] if target.knows_one_request else operation.requests,
            touch=target.database_url if operation.changed else None,
        )
        effort = self._effort
        self._run(replace(plan, count=WARM_UP), operation)
        one = self._run(
            replace(plan, count=max(10, round(effort.samples * operation.share))), operation
        )
        spent = target.cpu_seconds()
        many = self._run(
            replace(plan, connections=effort.connections, seconds=effort.seconds), operation
        )
        spent = (target.cpu_seconds() - spent - idle * many.elapsed) / len(many.seconds)
        return Figures(one.seconds, [many.per_second], [spent])

    def _run(self, plan: Plan, operation: Operation) -> Outcome:
        outcome = self._loader.run(plan)
        if outcome.refused:
            raise SystemExit(f"{operation.name}: refused with {outcome.refused}")
        return outcome


def idle_share(target: Target) -> float:
    """Of one core, with the streams open and no request."""
    spent = target.cpu_seconds()
    time.sleep(IDLE_LOOK)
    return (target.cpu_seconds() - spent) / IDLE_LOOK


def _etag(base_url: str) -> str | None:
    return httpx.get(f"{base_url}/customers/summary").headers.get("ETag")


def _record(base_url: str, operation: Operation) -> Answers:
    """What the target answers to an operation's first request."""
    request = operation.requests[0]
    head, _, body = request.partition(b"\r\n\r\n")
    first, *rest = head.decode().split("\r\n")
    method, path, _ = first.split(" ")
    headers = dict(line.split(": ", 1) for line in rest)
    headers["Accept-Encoding"] = "identity"
    answer = httpx.request(method, base_url + path, headers=headers, content=body)
    kept = [(name, text) for name, text in answer.headers.items() if name not in HOP_BY_HOP]
    if answer.status_code != 304:
        kept.append(("Content-Length", str(len(answer.content))))
    condition = " if-none-match" if operation.conditional else ""
    status = f"{answer.status_code} {answer.reason_phrase}"
    return {f"{method} {path}{condition}": (status, kept, answer.text)}


def send_slowly(
    base_url: str, request: bytes, *, pause: float = EVENT_PAUSE, count: int = EVENT_SENDS
) -> dict[int, tuple[float, float]]:
    """By message id: when its request left, and when its answer was here."""
    time.sleep(2)  # what was sent before reaches the streams first
    body = orjson.loads(request.partition(b"\r\n\r\n")[2])
    sent = {}
    with httpx.Client(base_url=base_url, timeout=30, trust_env=False) as client:
        for _ in range(count):
            started = time.monotonic()
            answer = client.post("/messages/send", json=body).raise_for_status()
            sent[int(answer.json()["id"])] = (started, time.monotonic())
            time.sleep(pause)
    time.sleep(1)
    return sent


def event_figures(sent: dict[int, tuple[float, float]], arrivals: Sequence[Arrival]) -> Round:
    """Every arrival on every stream counts. The answer leaves right after the commit."""
    ours = [(sent[message_id], at) for message_id, at in arrivals if message_id in sent]
    return {
        "event: request to client": Figures([at - started for (started, _), at in ours]),
        "event: commit to client": Figures([max(0.0, at - done) for (_, done), at in ours]),
    }
