"""`make bench`: our answers beside those of a peer, in turns, and beside the floor.

python -m benchmarks                 SQLite, 10,000 customers, 200,000 messages
python -m benchmarks --postgres      on a PostgreSQL of its own, with its default settings
python -m benchmarks --rounds 1 --seconds 1 --samples 50 --messages 5000   a quick look
python -m benchmarks --out docs      also as docs/measured/answers-*.md and .svg
"""

import argparse
import tempfile
from functools import partial
from pathlib import Path

from benchmarks.databases import Databases
from benchmarks.dataset import Dataset
from benchmarks.load import Loader
from benchmarks.measure import Bench, Effort, Make, Turn
from benchmarks.processes import end_in_order
from benchmarks.report import FLOOR, OURS, PEER, draw_rates, merge, write_report
from benchmarks.targets import Answers, CrmTarget, FastApiTarget, FloorTarget

TARGETS = (OURS, PEER, FLOOR)
"""What can be measured. They take turns, A B A B, so that a noisy minute hits all alike."""
MESSAGES_PER_CUSTOMER = 20
SMALL = Dataset(customers=1_000, messages=20_000)
"""Whose list has 1,000 customers."""


def main() -> None:
    """Measure what was asked for, print it, and write it down."""
    end_in_order()
    options = _parse()
    large = Dataset(customers=options.customers, messages=options.messages)
    effort = Effort(
        samples=options.samples,
        seconds=options.seconds,
        connections=options.connections,
        streams=options.streams,
    )
    turns: dict[str, list[Turn]] = {name: [] for name in options.targets}
    with tempfile.TemporaryDirectory(prefix="crm-benchmark-") as room, Loader() as loader:
        databases = Databases(Path(room), postgres=options.postgres)
        bench = Bench(databases, loader, effort)
        try:
            for number in range(options.rounds):
                print(f"round {number + 1} of {options.rounds}", flush=True)
                _take_turns(bench, turns, large, options)
        finally:
            databases.end()
    title = (
        f"{databases.kind}: {large.customers:,} customers, {large.messages:,} messages "
        f"(whole lists: {SMALL.customers:,}); {options.streams} streams open on ours, "
        f"{options.peer_streams} on the peer"
    )
    _publish(title, {name: merge(found) for name, found in turns.items()}, effort, options)


def _take_turns(
    bench: Bench, turns: dict[str, list[Turn]], large: Dataset, options: argparse.Namespace
) -> None:
    answers: Answers = {}
    streams = {OURS: options.streams, PEER: options.peer_streams, FLOOR: 0}
    makers: dict[str, Make] = {
        OURS: partial(CrmTarget, with_delivery=options.with_delivery),
        PEER: FastApiTarget,
        FLOOR: partial(FloorTarget, answers=answers),
    }
    for name, found in turns.items():
        turn = bench.take_turn(makers[name], large=large, small=SMALL, streams=streams[name])
        if name == OURS:
            answers |= turn.answers
        found.append(turn)


def _publish(
    title: str, found: dict[str, Turn], effort: Effort, options: argparse.Namespace
) -> None:
    text = write_report(title, found, effort)
    print(text)
    if options.out:
        stem = options.out / "measured" / ("answers-postgresql" if options.postgres else "answers")
        draw_rates(stem.with_suffix(".svg"), "answers a second", found)
        stem.with_suffix(".md").write_text(text)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--target", action="append", dest="targets", choices=TARGETS)
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument(
        "--customers", type=int, help=f"else 1 for {MESSAGES_PER_CUSTOMER} messages"
    )
    parser.add_argument("--streams", type=int, default=100, help="open on ours meanwhile")
    parser.add_argument("--peer-streams", type=int, default=0, help="open on the peer meanwhile")
    parser.add_argument("--samples", type=int, default=300, help="requests of each kind, a turn")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each throughput run")
    parser.add_argument("--connections", type=int, default=8, help="of each throughput run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--postgres", action="store_true", help="instead of SQLite")
    parser.add_argument("--out", type=Path, help="a folder that gets the report and its charts")
    parser.add_argument(
        "--with-delivery", action="store_true", help="worker, beat and gateway run meanwhile"
    )
    options = parser.parse_args()
    options.customers = options.customers or max(1, options.messages // MESSAGES_PER_CUSTOMER)
    options.targets = [name for name in TARGETS if name in (options.targets or TARGETS)]
    if FLOOR in options.targets and OURS not in options.targets:
        parser.error("the floor answers with our bytes, so ours is to be measured too")
    return options


if __name__ == "__main__":
    main()
