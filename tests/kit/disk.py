"""A full disk without root: processes that may make no file longer than a few bytes.

Writes then fail as on a full disk, with EFBIG in ENOSPC's place; Python ignores the signal that
comes with it, as a process that lives on must.
"""

import resource
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

import psutil

TINY = 4096


@contextmanager
def full_disk(pids: Iterable[int]) -> Iterator[None]:
    """Let nothing be written by these processes and their children."""
    masters = list(pids)
    limited = [pid for pid in _with_children(masters) if _limit(pid, TINY)]
    try:
        yield
    finally:
        for pid in limited:
            _limit(pid, resource.RLIM_INFINITY)
        # A child that was forked meanwhile has inherited the limit.
        for pid in _with_children(masters):
            _limit(pid, resource.RLIM_INFINITY)


def _with_children(pids: Iterable[int]) -> list[int]:
    found = []
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            found += [pid, *(child.pid for child in psutil.Process(pid).children())]
    return found


def _limit(pid: int, size: int) -> bool:
    with suppress(ProcessLookupError, PermissionError):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        return True
    return False
