"""What a page, a chat and a send cost as the database grows.

python -m benchmarks.growth                     10,000, 100,000 and 1,000,000 of each
python -m benchmarks.growth --sizes 100 1000 --seconds 1
"""

import argparse
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import httpx

from benchmarks import charts, operations
from benchmarks.databases import Databases
from benchmarks.dataset import Dataset
from benchmarks.load import Loader
from benchmarks.machine import describe_machine
from benchmarks.measure import Bench, Effort, Figures, Round
from benchmarks.operations import Operation
from benchmarks.processes import end_in_order
from benchmarks.report import percentiles
from benchmarks.targets import CrmTarget, Target

MOST = 1.3
"""Times the smallest database's cost that the largest one's may be."""
WHOLE_LIST_MB = 60


def main() -> None:
    """Measure, print, write down."""
    end_in_order()
    options = _parse()
    effort = Effort(samples=options.samples, seconds=options.seconds, streams=0)
    with tempfile.TemporaryDirectory(prefix="crm-growth-") as room, Loader() as loader:
        databases = Databases(Path(room), postgres=options.postgres)
        bench = Bench(databases, loader, effort)
        try:
            found, grown = _measure(databases, bench, options)
        finally:
            databases.end()
    report = "\n".join(_report(databases.kind, found, grown))
    print(report)
    if options.out:
        name = "growth-postgresql" if options.postgres else "growth"
        file = options.out / "measured" / f"{name}.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(report + "\n")
        _draw(file.with_suffix(".svg"), found)


def _measure(
    databases: Databases, bench: Bench, options: argparse.Namespace
) -> tuple[dict[int, Round], dict[int, float]]:
    """All sizes answer side by side and are asked the same in turn, so that noise hits all alike.

    The order turns round each time, so that it favours none.
    """
    found: dict[int, Round] = {size: {} for size in options.sizes}
    with ExitStack() as running:
        targets = {}
        for size in options.sizes:
            url = databases.copy(Dataset(customers=size, messages=size))
            targets[size] = running.enter_context(CrmTarget(url))
        asked = {size: _operations(size) for size in options.sizes}
        for number in range(options.rounds):
            for alike in zip(*asked.values(), strict=True):
                turn = [*zip(options.sizes, alike, strict=True)]
                for size, operation in turn[:: -1 if number % 2 else 1]:
                    seen = found[size].setdefault(operation.name, Figures())
                    seen.add(bench.measure(targets[size], operation))
        grown = {size: _whole_list_megabytes(target) for size, target in targets.items()}
    return found, grown


def _operations(size: int) -> list[Operation]:
    return operations.of_the_large_database(Dataset(customers=size, messages=size))


def _whole_list_megabytes(target: Target) -> float:
    """What web's memory grows by, at most, while one client reads the whole list."""
    idle, most, is_over = target.megabytes(), 0.0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not is_over.wait(0.02):
            most = max(most, target.megabytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        with httpx.stream("GET", f"{target.base_url}/customers/summary", timeout=120) as answer:
            answer.raise_for_status()
            for _ in answer.iter_raw():
                pass
    finally:
        is_over.set()
        watcher.join()
    return most - idle


def _report(kind: str, found: dict[int, Round], grown: dict[int, float]) -> Iterator[str]:
    yield f"# As the database grows: {kind}, as many customers as messages"
    yield "\n".join(["", *describe_machine(), ""])
    sizes = list(found)
    titles = [f"{size:,}" for size in sizes]
    yield "| median ms (web's CPU, ms) | " + " | ".join(titles) + " | last : first | met |"
    yield "|---|" + "---:|" * len(sizes) + "---:|---|"
    for name in found[sizes[0]]:
        cells = [f"{_middle(found[size][name]):.2f} ({_cpu(found[size][name]):.2f})"
                 for size in sizes]  # fmt: skip
        ratio = _growth(found[sizes[0]][name], found[sizes[-1]][name])
        yield (
            f"| {name} | " + " | ".join(cells)
            + f" | {ratio:.2f} | {'yes' if ratio <= MOST else 'NO'} |"
        )  # fmt: skip
    cells = [f"{grown[size]:.0f}" for size in sizes]
    yield "| whole list: MB above idle | " + " | ".join(cells) + " | | |"
    yield (
        f"\nThe ratio is that of the processor time, the middle one of the rounds; wanted: at most "
        f"{MOST}. Wanted of the whole "
        f"list at 100,000: less than {WHOLE_LIST_MB} MB above idle."
    )


def _growth(small: Figures, large: Figures) -> float:
    """Compared in each round, as the machine has faster and slower minutes."""
    pairs = zip(small.cpu_seconds, large.cpu_seconds, strict=True)
    return median(after / before for before, after in pairs)


def _draw(file: Path, found: dict[int, Round]) -> None:
    names = list(next(iter(found.values())))
    series = {name: [_cpu(round_[name]) for round_ in found.values()] for name in names}
    labels = [f"{size:,}" for size in found]
    charts.lines(file, "web's processor time for one request, ms", labels, series)


def _middle(figures: Figures) -> float:
    return percentiles(figures.seconds)[0]


def _cpu(figures: Figures) -> float:
    return median(figures.cpu_seconds) * 1000


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.growth",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--postgres", action="store_true", help="instead of SQLite")
    parser.add_argument("--out", type=Path, help="a folder that gets the report and its chart")
    return parser.parse_args()


if __name__ == "__main__":
    main()
