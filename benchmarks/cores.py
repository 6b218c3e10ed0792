"""Who runs on which cores: whoever answers on the first half, whoever asks on the others.

So the asking takes nothing from what is measured, and each thing measured has the same cores.
Redis and PostgreSQL count as answering: work that is moved there is not work that is saved.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

ALL = tuple(sorted(os.sched_getaffinity(0)))
ANSWERING = frozenset(ALL[: max(1, len(ALL) // 2)])
ASKING = frozenset(ALL[len(ALL) // 2 :])


@contextmanager
def pinned(cores: frozenset[int]) -> Iterator[None]:
    """Processes that this thread starts inside the block stay on these cores for good."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def describe() -> str:
    """For the report."""
    return f"answering on core {_list(ANSWERING)}, asking on core {_list(ASKING)}"


def _list(cores: frozenset[int]) -> str:
    return ", ".join(str(core) for core in sorted(cores))
