"""Many open event streams: how fast they open, what each costs, how soon an event is with all.

python -m benchmarks.fanout                     100, 1,000 and 5,000 on one gevent process
python -m benchmarks.fanout --streams 50 --sends 5 --rates 100
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import charts
from benchmarks.databases import Databases
from benchmarks.dataset import Dataset
from benchmarks.event_rates import tell_at
from benchmarks.machine import describe_machine
from benchmarks.measure import event_figures, idle_share, send_slowly
from benchmarks.operations import TEXT, post
from benchmarks.processes import end_in_order
from benchmarks.report import percentiles
from benchmarks.streams import Arrival, Streams
from benchmarks.targets import CrmTarget
from config.settings import STREAM_HEADROOM

DATASET = Dataset(customers=1_000, messages=20_000)
USUAL = 100
"""Streams on the usual set-up."""
OPENING_AT_ONCE = 32
BURST_SECONDS = 5.0
SPARE_FILES = 200
SEND = post("/messages/send", {"customer_id": 1, "content": TEXT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """What so many streams were like. Seconds; KiB of the web processes for each stream."""

    name: str
    streams: int
    per_second: float
    """Streams opened a second, `OPENING_AT_ONCE` at a time."""
    first_bytes: Sequence[float]
    delays: Sequence[float]
    """From the commit to each client."""
    last_delays: Sequence[float]
    """From the commit to the last client, for each event."""
    kilobytes: float
    idle_share: float
    """Of one core, with all open and nothing to tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """What events at a steady rate cost the web processes of the usual set-up. Seconds."""

    rate: float
    cpu_seconds: float
    """Of an event, for all streams."""
    delays: Sequence[float]


def main() -> None:
    """Measure, print, write down."""
    end_in_order()
    options = _parse()
    _allow_files(2 * max(options.streams) + SPARE_FILES)
    with tempfile.TemporaryDirectory(prefix="crm-fanout-") as room:
        databases = Databases(Path(room), postgres=True)
        try:
            crowds = [*_crowds(databases, options)]
            bursts = [_burst(databases, rate) for rate in options.rates]
        finally:
            databases.end()
    report = "\n".join([*_report(crowds), *_report_bursts(bursts)])
    print(report)
    if options.out:
        file = options.out / "measured" / "streams.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(report + "\n")
        _draw(file.with_suffix(".svg"), crowds)


def _crowds(databases: Databases, options: argparse.Namespace) -> Iterator[Crowd]:
    yield _gather("gthread, 2 processes", USUAL, databases, {}, options.sends)
    for streams in options.streams:
        room = streams + 2 * STREAM_HEADROOM
        settings = {
            "WEB_WORKER_CLASS": "gevent",
            "WEB_CONCURRENCY": "1",
            "WEB_THREADS": str(room),
            # gunicorn's own limit for green processes; the product's is WEB_THREADS.
            "GUNICORN_CMD_ARGS": f"--worker-connections {room} --backlog 8192",
        }
        yield _gather("gevent, 1 process", streams, databases, settings, options.sends)


def _gather(
    name: str, streams: int, databases: Databases, settings: Mapping[str, str], sends: int
) -> Crowd:
    with CrmTarget(databases.copy(DATASET), settings=settings) as target:
        send_slowly(target.base_url, SEND, count=5)
        idle = target.megabytes()
        with Streams(target.port, streams, at_once=OPENING_AT_ONCE) as opened:
            sent = send_slowly(target.base_url, SEND, pause=0.5, count=sends)
            grown, share = target.megabytes() - idle, idle_share(target)
            arrivals = opened.close()
    _require_all(arrivals, sent, streams)
    last = [max(at for one, at in arrivals if one == sent_id) - done
            for sent_id, (_, done) in sent.items()]  # fmt: skip
    return Crowd(
        name=name,
        streams=streams,
        per_second=streams / opened.opened_in,
        first_bytes=opened.first_bytes,
        delays=event_figures(sent, arrivals)["event: commit to client"].seconds,
        last_delays=last,
        kilobytes=grown * 1024 / streams,
        idle_share=share,
    )


def _burst(databases: Databases, rate: float) -> Burst:
    with (
        CrmTarget(databases.copy(DATASET)) as target,
        Streams(target.port, USUAL, at_once=OPENING_AT_ONCE) as opened,
    ):
        idle, spent, began = idle_share(target), target.cpu_seconds(), time.monotonic()
        told = tell_at(
            rate,
            seconds=BURST_SECONDS,
            database_url=target.database_url,
            redis_url=target.redis_url,
        )
        time.sleep(1)  # the last ones are on their way
        spent = target.cpu_seconds() - spent - idle * (time.monotonic() - began)
        arrivals = opened.close()
    _require_all(arrivals, told, USUAL)
    delays = [at - told[one] for one, at in arrivals if one in told]
    return Burst(rate=rate, cpu_seconds=spent / len(told), delays=delays)


def _require_all(arrivals: Sequence[Arrival], told: Mapping[int, object], streams: int) -> None:
    expected = len(told) * streams
    missed = expected - sum(one in told for one, _ in arrivals)
    if missed:
        raise SystemExit(f"{missed} events of {expected} did not arrive.")


def _report(crowds: Sequence[Crowd]) -> Iterator[str]:
    yield "# Open event streams, on PostgreSQL"
    yield "\n".join(["", *describe_machine(), ""])
    yield (
        "| | streams | opened a second | first byte, median, p95, p99 ms "
        "| event: commit to client, median, p95, max ms | to the last client, worst, ms "
        "| KB each | of a core when idle |"
    )
    yield "|---|---:|---:|---:|---:|---:|---:|---:|"
    for crowd in crowds:
        first = ", ".join(f"{ms:.0f}" for ms in percentiles(crowd.first_bytes))
        delay = _delays(crowd.delays)
        yield (
            f"| {crowd.name} | {crowd.streams:,} | {crowd.per_second:,.0f} | {first} | {delay} "
            f"| {max(crowd.last_delays) * 1000:.0f} | {crowd.kilobytes:.0f} "
            f"| {crowd.idle_share:.1%} |"
        )


def _report_bursts(bursts: Sequence[Burst]) -> Iterator[str]:
    if not bursts:
        return
    yield f"\nEvents at a steady rate, {USUAL} streams on gthread, 2 processes:\n"
    yield "| events a second | web's CPU for an event, ms | commit to client, median, p95, max ms |"
    yield "|---:|---:|---:|"
    for burst in bursts:
        cpu = f"{burst.cpu_seconds * 1000:.2f}"
        yield f"| {burst.rate:,.0f} | {cpu} | {_delays(burst.delays)} |"


def _delays(seconds: Sequence[float]) -> str:
    middle, p95, _ = percentiles(seconds)
    return f"{middle:.0f}, {p95:.0f}, {max(seconds) * 1000:.0f}"


def _draw(file: Path, crowds: Sequence[Crowd]) -> None:
    labels = [f"{crowd.name}, {crowd.streams:,}" for crowd in crowds]
    series = {
        "event to the last client, worst, ms": [1000 * max(crowd.last_delays) for crowd in crowds],
        "memory of each stream, KB": [max(1.0, crowd.kilobytes) for crowd in crowds],
        "opened a second": [crowd.per_second for crowd in crowds],
    }
    charts.bars(file, "open event streams", labels, series)


def _allow_files(wanted: int) -> None:
    """Each stream is an open file, here and in the server."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise SystemExit(f"This needs {wanted} open files and may have {hard}: raise ulimit -n.")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fanout",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--streams", type=int, nargs="+", default=[100, 1_000, 5_000])
    parser.add_argument("--sends", type=int, default=20)
    parser.add_argument("--rates", type=float, nargs="*", default=[50, 500, 1_000])
    parser.add_argument("--out", type=Path, help="a folder that gets the report and its chart")
    return parser.parse_args()


if __name__ == "__main__":
    main()
