"""What a running program costs, read from /proc."""

import signal
import sys
from pathlib import Path

import psutil


def end_in_order() -> None:
    """A SIGTERM ends what was started too, as Ctrl-C does."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def cpu_seconds(pid: int) -> float:
    """Processor time of a process and all that it started and that still runs."""
    times = [one.cpu_times() for one in tree(pid)]
    return sum(spent.user + spent.system for spent in times)


def megabytes(pid: int) -> float:
    """PSS of a process and all that it started, in MiB: shared pages count once."""
    return sum(_pss(one.pid) for one in tree(pid))


def tree(pid: int) -> list[psutil.Process]:
    """A process and its descendants."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def _pss(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines[1:])
    return int(fields["Pss"].split()[0]) / 1024
