"""The catalogue of faults, and a plan of them drawn from a seed.

A fault has a target. Faults of different targets overlap; those of one target wait for each other.
"""

import random
import signal
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import httpx
import psycopg

from tests.kit.disk import full_disk
from tests.soak.processes import kill_child, restart, stop_and_start
from tests.soak.stage import Stage

Break = Callable[[Stage, float], None]
EVENTS_LOCK = 0x43524D
"""The advisory lock under which event rows are written on PostgreSQL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One way to fail: `strike` does it, waits so many seconds, and undoes it."""

    name: str
    target: str
    strike: Break
    longest: float = 8.0
    shortest: float = 1.0
    gateways: tuple[str, ...] = ("simulator", "cloud", "foreign")
    databases: tuple[str, ...] = ("sqlite", "postgresql")
    sets: int = 1
    """The least that there must be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A fault of the plan: when it strikes, in seconds from the start, and for how long."""

    fault: Fault
    at: float
    seconds: float


@dataclass(slots=True)
class Outcome:
    """What became of the plan."""

    struck: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    ended_at: float = 0.0
    most_at_once: int = 0


def draw(stage: Stage, *, seed: int, count: int, seconds: float) -> list[Planned]:
    """So many faults over so many seconds; every kind comes before any comes again."""
    rng = random.Random(seed)
    able = [
        fault
        for fault in catalogue()
        if stage.gateway in fault.gateways
        and stage.database in fault.databases
        and stage.sets >= fault.sets
    ]
    kinds: list[Fault] = []
    while len(kinds) < count:
        kinds += rng.sample(able, len(able))
    moments = sorted(rng.uniform(0, seconds) for _ in range(count))
    return [
        Planned(fault=fault, at=at, seconds=rng.uniform(fault.shortest, fault.longest))
        for fault, at in zip(kinds, moments, strict=False)
    ]


def carry_out(stage: Stage, plan: list[Planned]) -> Outcome:
    """Strike as planned, each on a thread of its own; returns once all are undone."""
    outcome, lock, active = Outcome(), threading.Lock(), Counter[str]()
    targets = {planned.fault.target: threading.Lock() for planned in plan}
    started = time.monotonic()

    def strike(planned: Planned) -> None:
        fault = planned.fault
        with targets[fault.target]:
            with lock:
                active[fault.name] += 1
                outcome.most_at_once = max(outcome.most_at_once, active.total())
            try:
                fault.strike(stage, planned.seconds)
                outcome.struck[fault.name] += 1
            except Exception as error:  # the target is down through another fault
                outcome.missed.append(f"{fault.name}: {error!r}")
            with lock:
                active[fault.name] -= 1

    threads = []
    for planned in plan:
        time.sleep(max(0.0, started + planned.at - time.monotonic()))
        thread = threading.Thread(target=strike, args=(planned,), name=planned.fault.name)
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join()
    outcome.ended_at = time.time()
    return outcome


def catalogue() -> list[Fault]:
    """Every fault there is."""
    return [*_process_faults(), *_redis_faults(), *_database_faults(), *_gateway_faults()]


def _process_faults() -> Iterator[Fault]:
    for name in ("web", "worker", "beat", "gateway", "web2", "worker2", "beat2"):
        yield from _ends_of(name, sets=2 if name.endswith("2") else 1)
    yield Fault(
        name="gateway child kill -9",
        target="gateway",
        strike=kill_child("gateway"),
        gateways=("simulator", "cloud"),
    )


def _ends_of(name: str, *, sets: int) -> Iterator[Fault]:
    ways = {
        "kill -9": restart(name, signal.SIGKILL),
        "SIGTERM": restart(name, signal.SIGTERM),
        "SIGSTOP": stop_and_start(name),
    }
    if name.startswith("web"):
        ways["child kill -9"] = kill_child(name)
    for way, strike in ways.items():
        yield Fault(name=f"{name} {way}", target=name, strike=strike, sets=sets)


def _redis_faults() -> Iterator[Fault]:
    def down(keep_data: bool) -> Break:
        def strike(stage: Stage, seconds: float) -> None:
            stage.redis.kill()
            time.sleep(seconds)
            stage.redis.restart(keep_data=keep_data)

        return strike

    def frozen(stage: Stage, seconds: float) -> None:
        stage.redis.freeze()
        time.sleep(seconds)
        stage.redis.thaw()

    def emptied(stage: Stage, seconds: float) -> None:
        with stage.redis.client() as client:
            client.flushall()

    yield Fault(name="redis kill -9", target="redis", strike=down(True))
    yield Fault(name="redis lost with its file", target="redis", strike=down(False))
    yield Fault(name="redis SIGSTOP", target="redis", strike=frozen)
    yield Fault(name="redis FLUSHALL", target="redis", strike=emptied)


def _database_faults() -> Iterator[Fault]:
    def lock_sqlite(stage: Stage, seconds: float) -> None:
        connection = sqlite3.connect(stage.sqlite_file, timeout=10, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        time.sleep(seconds)
        connection.rollback()
        connection.close()

    def hold(statement: str) -> Break:
        def strike(stage: Stage, seconds: float) -> None:
            with psycopg.connect(stage.stack.database_url, connect_timeout=5) as connection:
                connection.execute(statement)
                time.sleep(seconds)

        return strike

    def restart_postgres(stage: Stage, seconds: float) -> None:
        assert stage.postgres is not None
        stage.postgres.restart()

    def fill_disk(stage: Stage, seconds: float) -> None:
        pids = stage.pids()
        with full_disk(pids[name] for name in stage.names("web", "worker") if name in pids):
            time.sleep(seconds)

    sqlite, postgresql = ("sqlite",), ("postgresql",)
    yield Fault(name="write lock", target="database", strike=lock_sqlite, longest=7,
                databases=sqlite)  # fmt: skip
    yield Fault(name="disk full", target="disk", strike=fill_disk, longest=4, databases=sqlite)
    yield Fault(name="table lock", target="database", longest=5, databases=postgresql,
                strike=hold("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE"))  # fmt: skip
    yield Fault(name="event lock", target="database", longest=5, databases=postgresql,
                strike=hold(f"SELECT pg_advisory_xact_lock({EVENTS_LOCK})"))  # fmt: skip
    yield Fault(name="postgresql restart", target="database", strike=restart_postgres,
                databases=postgresql)  # fmt: skip


def _gateway_faults() -> Iterator[Fault]:
    """Through the control API; a gateway killed meanwhile comes back well-behaved."""
    for name, bad, good in (
        ("lost answers", {"lost_answers": 60}, {"lost_answers": 0}),
        ("broken answers", {"broken_answers": 60}, {"broken_answers": 0}),
        ("500s", {"errors": 40}, {"errors": 0}),
        ("503s", {"unavailable": 80}, {"unavailable": 0}),
        ("stalls", {"stalls": 30, "stall_seconds": 7}, {"stalls": 0}),
        ("failing sends", {"failing_sends": 50}, {"failing_sends": 0}),
        ("slow sends", {"send_delay": 0.3}, {"send_delay": 0}),
        ("doubled acks", {"doubled_acks": True}, {"doubled_acks": False}),
        ("late acks", {"late_acks": 3}, {"late_acks": 0}),
        ("reversed acks", {"reversed_acks": True}, {"reversed_acks": False}),
    ):
        yield Fault(name=f"gateway {name}", target=name, gateways=("simulator",),
                    strike=_misbehaving(bad, good))  # fmt: skip

    def disconnected(stage: Stage, seconds: float) -> None:
        with stage.connected:
            _misbehaving({"connection": "need_qr"}, {"connection": "ready"})(stage, seconds)

    yield Fault(name="gateway disconnected", target="connection", strike=disconnected,
                gateways=("simulator",))  # fmt: skip
    yield from _graph_faults()
    yield Fault(name="gateway worse", target="worse", gateways=("foreign",),
                strike=_misbehaving({"percent": 70}, {"percent": 30}))  # fmt: skip
    yield Fault(name="gateway stalls and trickles", target="slow", gateways=("foreign",),
                strike=_misbehaving({"slow_percent": 40}, {"slow_percent": 8}))  # fmt: skip


def _graph_faults() -> Iterator[Fault]:
    """Of the pretend Graph API behind the driver `cloud`."""
    for name, bad, good in (
        ("lost answers", {"lost_percent": 40}, {"lost_percent": 0}),
        # With a 4xx: nothing was sent. A 5xx may come after the message went out, so it would be
        # unknown for ever here, where a message that is answered by a code never goes out.
        ("errors", {"code_percent": {"1": 40}}, {"code_percent": {}}),
        ("rate limits", {"code_percent": {"130429": 20, "131056": 10}}, {"code_percent": {}}),
        ("slow answers", {"stall": 1.0}, {"stall": 0.0}),
        ("doubled webhooks", {"doubled": True}, {"doubled": False}),
        ("shuffled webhooks", {"shuffled": True}, {"shuffled": False}),
        ("held webhooks", {"webhooks_held": True}, {"webhooks_held": False}),
    ):
        target = "codes" if "code_percent" in bad else name
        yield Fault(name=f"graph {name}", target=target, gateways=("cloud",),
                    strike=_misbehaving(bad, good))  # fmt: skip

    def away(stage: Stage, seconds: float) -> None:
        assert stage.graph is not None
        stage.graph.go_away()
        time.sleep(seconds)
        stage.graph.come_back()

    yield Fault(name="graph away", target="graph", gateways=("cloud",), strike=away)


def _misbehaving(bad: Mapping[str, object], good: Mapping[str, object]) -> Break:
    def strike(stage: Stage, seconds: float) -> None:
        with _patience():
            _insist(stage, bad, tries=10)
        try:
            time.sleep(seconds)
        finally:
            _insist(stage, good, tries=60)

    return strike


@contextmanager
def _patience() -> Iterator[None]:
    try:
        yield
    except httpx.HTTPError as error:
        raise RuntimeError("the gateway did not hear it") from error


def _insist(stage: Stage, changes: Mapping[str, object], *, tries: int) -> None:
    """Say it again until the gateway, perhaps just restarting, has heard it."""
    for _ in range(tries - 1):
        with suppress(httpx.HTTPError, subprocess.SubprocessError):
            return stage.misbehave(**changes)
        time.sleep(0.5)
    stage.misbehave(**changes)
