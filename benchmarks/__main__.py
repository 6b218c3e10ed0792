"""`make bench`: measures the product against the API document's targets and prints a table.

python -m benchmarks                        SQLite, 10,000 customers, 200,000 messages
python -m benchmarks --database-url postgresql://…   an empty database of yours
python -m benchmarks --customers 500 --messages 5000 --samples 50   a quick look
"""

import argparse
from collections.abc import Callable

from benchmarks.dataset import Dataset
from benchmarks.measure import Round, measure_round
from benchmarks.report import merge, write_report
from benchmarks.target import CrmTarget, Target

Make = Callable[[Dataset, argparse.Namespace], Target]


def _crm(dataset: Dataset, options: argparse.Namespace) -> Target:
    return CrmTarget(
        dataset, database_url=options.database_url, with_delivery=options.with_delivery
    )


TARGETS: dict[str, Make] = {"crm": _crm}
"""What can be measured. Several take turns, A B A B, so that a noisy minute hits all alike."""


def main() -> None:
    """Measure what was asked for and print it."""
    options = _parse()
    dataset = Dataset(customers=options.customers, messages=options.messages)
    rounds: dict[str, list[Round]] = {name: [] for name in options.targets}
    facts = {}
    for _ in range(options.rounds):
        for name in options.targets:
            with TARGETS[name](dataset, options) as target:
                rounds[name].append(
                    measure_round(target, dataset, streams=options.streams, samples=options.samples)
                )
                facts[name] = target.facts()
    size = f"{dataset.customers:,} customers, {dataset.messages:,} messages"
    print(f"# {size}, {options.streams} event streams open\n")
    for name, found in rounds.items():
        print(write_report(name, merge(found), facts[name]))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--target", action="append", dest="targets", choices=[*TARGETS])
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--streams", type=int, default=100)
    parser.add_argument("--samples", type=int, default=300, help="requests of each kind, a round")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--database-url", help="empty; instead of an SQLite file of its own")
    parser.add_argument(
        "--with-delivery", action="store_true", help="worker, beat and gateway run meanwhile"
    )
    options = parser.parse_args()
    options.targets = options.targets or ["crm"]
    return options


if __name__ == "__main__":
    main()
