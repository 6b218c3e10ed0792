"""How long to wait before the next try."""

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 15.0
"""So that everything arrives within about 20 s of the backend's return."""
LAST_DOUBLING = 5
LONGEST_LONG_PAUSE = 3600.0


def pause_before(tries: int) -> float:
    """Seconds after that many failed tries: doubling, half of it jitter, never 0."""
    ceiling = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(tries - 1, LAST_DOUBLING))
    return ceiling * random.uniform(0.5, 1.0)


def long_pause_before(tries: int) -> float:
    """The same for what nobody waits for: from 4 s up to an hour."""
    return min(LONGEST_LONG_PAUSE, 4.0 * 2.0 ** min(tries, 10)) * random.uniform(0.5, 1.0)


def parse_retry_after(value: str | None) -> float:
    """Seconds that a `Retry-After` header (a number or a date) asks for, within our ceiling."""
    if not value:
        return 0.0
    try:
        seconds = float(value)
    except ValueError:
        seconds = _seconds_until(value)
    return min(max(0.0, seconds), LONGEST_PAUSE)


def _seconds_until(date: str) -> float:
    try:
        return (parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return 0.0
