"""A soak: messages and faults at once, then three records compared.

python -m tests.soak.run --messages 20000 --faults 300 --seed 1 --database postgresql
"""

import argparse
import tempfile
import time
from pathlib import Path

from tests.soak.backlog import Backlog
from tests.soak.comparison import CHECKS
from tests.soak.faults import carry_out, draw
from tests.soak.records import Database, read_records, unsettled
from tests.soak.report import SETTLED_WITHIN, Report, describe
from tests.soak.resources import grown, measure
from tests.soak.stage import Stage
from tests.soak.streams import Inbox, find_faults
from tests.soak.workload import Diary, Workload

SECONDS_PER_FAULT = 2.5
MESSAGES_PER_SECOND = 10
"""What two cores deliver while faults keep them busy: more would only pile up."""
STREAMS = 6
WARM_UP, WARM_UP_SHARE, WARM_UP_RATE = 40, 0.1, 200
"""Messages at least, their share, and how many a second are tried: a burst. Only then is looked
what is held, since by then every thread has its connection, and each connection as much of the
database in memory as it may keep."""
SLOWEST_MESSAGE = 0.3
"""Seconds that a machine may take for each message, once it is left alone."""
PATIENCE = 300.0
"""Seconds after the last fault until what has not settled is called stuck."""


def soak(  # noqa: PLR0913
    directory: Path,
    *,
    messages: int,
    faults: int,
    seed: int,
    database: str,
    gateway: str,
    sets: int = 1,
    settled_within: float = SETTLED_WITHIN,
) -> Report:
    """Run one soak with everything of its own in `directory`."""
    report = Report(
        seed=seed, database=database, gateway=gateway, sets=sets, settled_within=settled_within
    )
    began = time.monotonic()
    directory.mkdir(parents=True, exist_ok=True)
    with Stage(directory, database=database, gateway=gateway, seed=seed, sets=sets) as stage:
        _run(stage, report, messages=messages, faults=faults)
    report.seconds = time.monotonic() - began
    return report


def _run(stage: Stage, report: Report, *, messages: int, faults: int) -> None:
    seconds = max(faults * SECONDS_PER_FAULT, messages / MESSAGES_PER_SECOND)
    diary, customers = Diary(stage.directory / "answers.jsonl"), stage.make_customers()
    reader, inboxes = Database(stage), [Inbox(stage, number) for number in range(STREAMS)]
    crowd = Backlog(reader)
    some = max(WARM_UP, round(messages * WARM_UP_SHARE))
    _work(stage, diary, customers, crowd, messages=some, seconds=some / WARM_UP_RATE).wait(
        PATIENCE + some * SLOWEST_MESSAGE
    )
    _settle(stage, reader, report, since=time.time())
    for inbox in inboxes:
        inbox.open()
    report.held["before"] = measure(stage)
    plan = draw(stage, seed=report.seed, count=faults, seconds=seconds)
    workload = _work(stage, diary, customers, crowd, messages=messages, seconds=seconds)
    outcome = carry_out(stage, plan)
    _calm(stage)
    calm_at = time.time()
    report.faults, report.faults_missed = dict(outcome.struck), outcome.missed
    report.most_at_once = outcome.most_at_once
    try:
        workload.wait(PATIENCE + messages * SLOWEST_MESSAGE)
    except TimeoutError as error:
        report.broken["stuck"] = [str(error)]
    diary.close()
    report.written_after = max(0.0, workload.ended_at - calm_at)
    report.settled_after = _settle(stage, reader, report, since=max(calm_at, workload.ended_at))
    _judge(stage, reader, report, diary, inboxes)
    reader.close()


def _work(
    stage: Stage,
    diary: Diary,
    customers: list[int],
    crowd: Backlog,
    *,
    messages: int,
    seconds: float,
) -> Workload:
    workload = Workload(
        stage,
        diary,
        customers,
        messages=messages,
        seconds=seconds,
        is_crowded=crowd.is_deep,
    )
    workload.start()
    return workload


def _calm(stage: Stage) -> None:
    """Nothing is down any more, and nobody misbehaves."""
    for name, program in stage.stack.programs.items():
        if not program.is_running():
            program.start()
        stage.stack.wait_until_up(name, timeout=60)
    if stage.gateway == "foreign":
        stage.misbehave(percent=0, slow_percent=0)


def _settle(stage: Stage, reader: Database, report: Report, *, since: float) -> float | None:
    """Wait until nothing has to happen any more; returns the seconds it took."""
    while left := unsettled(reader, stage):
        if time.time() - since > PATIENCE:
            report.broken.setdefault("stuck", []).append(", ".join(left))
            return None
        time.sleep(0.5)
    return time.time() - since


def _judge(
    stage: Stage, reader: Database, report: Report, diary: Diary, inboxes: list[Inbox]
) -> None:
    time.sleep(3)  # streams read the table within a second of silence
    records = read_records(reader, stage, diary.answered, diary.received)
    for inbox in inboxes:
        inbox.close()
    report.held["after"] = measure(stage)
    report.grown = grown(report.held["before"], report.held["after"])
    describe(report, records)
    for name, check in CHECKS.items():
        report.broken[name] = list(check(records))
    newest = [event["id"] for event in records.events]
    report.broken["streams"] = find_faults(inboxes, newest)
    report.broken["refused"] = diary.refused
    report.broken["ended too slowly"] = stage.slow_ends
    if report.settled_after is not None and report.settled_after > report.settled_within:
        report.broken["settled too late"] = [f"{report.settled_after:.0f} s"]
    report.answers = dict(sorted(diary.statuses.items()))
    report.slowest_answer = diary.slowest
    cuts = sum(inbox.cuts for inbox in inboxes)
    report.streams = {"streams": len(inboxes), "events": len(newest), "cuts": cuts}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--faults", type=int, default=32)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--gateway", choices=("simulator", "cloud", "foreign"), default="simulator")
    parser.add_argument("--sets", type=int, choices=(1, 2), default=1, help="web, worker, beat")
    parser.add_argument("--keep", type=Path, help="keep logs and databases in this folder")
    parser.add_argument("--json", action="store_true", help="the whole report as JSON")
    asked = vars(parser.parse_args())
    as_json, keep = asked.pop("json"), asked.pop("keep")
    with tempfile.TemporaryDirectory(prefix="crm-soak-") as temporary:
        report = soak(keep or Path(temporary), **asked)
    print(report.as_json() if as_json else report.as_text())
    return 0 if report.is_kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
