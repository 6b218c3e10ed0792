"""A full disk without root: web and worker may make no file longer than a few bytes.

Writes then fail as on a full disk, with EFBIG in ENOSPC's place; Python ignores the signal that
comes with it, as a process that lives on must.
"""

import resource
import time
from contextlib import suppress

import psutil

from tests.soak.stage import Stage

TINY = 4096
FULL = ("web", "worker")


def fill_disk(stage: Stage, seconds: float) -> None:
    """Let nothing be written by web and worker for so long."""
    limited = [pid for pid in _pids(stage) if _limit(pid, TINY)]
    try:
        time.sleep(seconds)
    finally:
        for pid in limited:
            _limit(pid, resource.RLIM_INFINITY)


def _pids(stage: Stage) -> list[int]:
    found = []
    for name, pid in stage.pids().items():
        if name in FULL:
            with suppress(psutil.NoSuchProcess):
                found += [pid, *(child.pid for child in psutil.Process(pid).children())]
    return found


def _limit(pid: int, size: int) -> bool:
    with suppress(ProcessLookupError, PermissionError):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        return True
    return False
