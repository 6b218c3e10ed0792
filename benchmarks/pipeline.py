"""From the API through Celery to the gateway: how many sends a second, and whether all arrive.

python -m benchmarks.pipeline                   10,000 sends to 1,000 customers on SQLite
python -m benchmarks.pipeline --postgres --sends 1000 --customers 100
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.burst import Passage, Pipeline, burst, deliver
from benchmarks.databases import Databases
from benchmarks.dataset import Dataset
from benchmarks.load import Loader
from benchmarks.machine import describe_machine
from benchmarks.peers.celery_noop import app as bare_celery
from benchmarks.peers.celery_noop import noop
from benchmarks.processes import end_in_order
from config.settings import PROJECT_ROOT
from tests.kit.programs import Program
from tests.kit.redis_server import RedisServer
from tests.kit.stack import PATH
from tests.kit.waiting import eventually

WANTED_SHARE = 0.5


def main() -> None:
    """Measure it, print it, write it down."""
    end_in_order()
    options = _parse()
    with tempfile.TemporaryDirectory(prefix="crm-pipeline-") as folder, Loader() as loader:
        room = Path(folder)
        databases = Databases(room, postgres=options.postgres)
        try:
            report = "\n".join(_measure(room, databases, loader, options))
        finally:
            databases.end()
    print(report)
    if options.out:
        name = "pipeline-postgresql.md" if options.postgres else "pipeline.md"
        file = options.out / "measured" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(report + "\n")


def _measure(
    room: Path, databases: Databases, loader: Loader, options: argparse.Namespace
) -> Iterator[str]:
    sends, customers = options.sends, options.customers
    dataset = Dataset(customers=customers, messages=10 * customers)
    bare = _bare_rate(room / "bare", options.sends)
    yield f"# From the API to the gateway: {databases.kind}, one worker"
    yield "\n".join(["", *describe_machine("all for all"), ""])
    yield f"A bare Celery task that does nothing: **{bare:,.0f}** a second.\n"
    quick = Pipeline(_folder(room / "quick"), databases.copy(dataset), quick_gateway=True)
    with quick.running("gateway", "web"):
        handed = deliver(quick, loader, sends=sends, customers=customers)
    rate = sends / handed.drained_in
    yield f"## {sends:,} stored sends, handed to a gateway that takes no time\n"
    yield (
        f"**{rate:,.0f}** a second, {rate / bare:.0%} of the bare figure "
        f"(wanted: {WANTED_SHARE:.0%}). {_found(handed)} {_costs(handed)}\n"
    )
    whole = Pipeline(_folder(room / "whole"), databases.copy(dataset), quick_gateway=False)
    with whole.running("gateway", "web", "worker", "beat"):
        whole.wait_for_the_worker()
        passage = burst(whole, loader, sends=sends, customers=customers)
    yield f"## A burst of {sends:,} sends to {customers:,} customers, with the pretend WhatsApp\n"
    yield (
        f"Answered in {passage.answered_in:.1f} s ({sends / passage.answered_in:,.0f} a second), "
        f"all with WhatsApp after **{passage.drained_in:.1f} s** "
        f"({sends / passage.drained_in:,.0f} a second). {_found(passage)} {_costs(passage)}\n"
    )
    yield from _memory(passage)


def _bare_rate(room: Path, jobs: int) -> float:
    """No-ops a second of one worker with our settings."""
    room.mkdir()
    redis = RedisServer(room / "redis")
    redis.start()
    bare_celery.conf.update(broker_url=redis.url)
    worker = Program(
        [sys.executable, "-m", "celery", "--app", "benchmarks.peers.celery_noop", "worker",
         "--loglevel", "WARNING", "--without-mingle", "--without-gossip"],
        environment={"PATH": PATH, "CELERY_BROKER": redis.url},
        log=room / "worker.log",
        directory=PROJECT_ROOT,
    )  # fmt: skip
    try:
        with bare_celery.producer_pool.acquire(block=True) as producer:
            for number in range(jobs):
                noop.apply_async((number,), producer=producer)
        with redis.client() as client:
            worker.start()
            eventually(lambda: client.llen("crm:crm") < 0.98 * jobs, timeout=60, interval=0.01)
            started, left = time.monotonic(), client.llen("crm:crm")
            eventually(lambda: not client.llen("crm:crm"), timeout=600, interval=0.01)
            return float(left / (time.monotonic() - started))
    finally:
        worker.end()
        bare_celery.close()
        redis.end()


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _found(passage: Passage) -> str:
    return (
        f"Lost: {passage.lost}; twice: {passage.repeated}; "
        f"customers whose order was broken: {passage.out_of_order}."
    )


def _costs(passage: Passage) -> str:
    costs = ", ".join(f"{name} {ms:.1f}" for name, ms in passage.cpu.items())
    return f"Processor time for each message, in ms: {costs}."


def _memory(passage: Passage) -> Iterator[str]:
    yield "| MB (PSS) | before | after |"
    yield "|---|---:|---:|"
    for name, before in passage.memory_before.items():
        yield f"| {name} | {before:.0f} | {passage.memory_after[name]:.0f} |"


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.pipeline",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--sends", type=int, default=10_000)
    parser.add_argument("--customers", type=int, default=1_000)
    parser.add_argument("--postgres", action="store_true", help="instead of SQLite")
    parser.add_argument("--out", type=Path, help="a folder that gets the report")
    return parser.parse_args()


if __name__ == "__main__":
    main()
