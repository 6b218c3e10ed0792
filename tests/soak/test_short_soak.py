"""A thousand messages through more than thirty overlapping faults: every promise is kept.

Another seed, more of everything: `make soak MESSAGES=20000 FAULTS=300 SEED=1`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from tests.kit.postgres import PostgresMissing
from tests.soak.run import soak

MESSAGES, FAULTS = 1000, 32
SETTLED_WITHIN = 150.0
"""Seconds. More than what is promised: other tests share the machine. `make soak` is strict."""

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]


@pytest.mark.parametrize(
    ("database", "gateway", "sets", "seed"),
    [
        ("sqlite", "simulator", 1, 1),
        ("postgresql", "simulator", 2, 2),
        ("sqlite", "foreign", 1, 3),
        ("sqlite", "cloud", 1, 4),
    ],
)
def test_every_promise_is_kept_through_overlapping_faults(
    database: str,
    gateway: str,
    sets: int,
    seed: int,
    tmp_path: Path,
    lacking: Callable[[str], NoReturn],
) -> None:
    try:
        report = soak(
            tmp_path,
            messages=MESSAGES,
            faults=FAULTS,
            seed=seed,
            database=database,
            gateway=gateway,
            sets=sets,
            settled_within=SETTLED_WITHIN,
        )
    except PostgresMissing as error:
        lacking(f"the soak on PostgreSQL left out: {error}")
    print(report.as_text())
    assert report.messages >= MESSAGES
    assert sum(report.faults.values()) >= 30, report.as_text()
    assert report.most_at_once >= 2
    assert report.is_kept, report.as_text()
