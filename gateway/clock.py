"""The one clock: Unix seconds inside, the contract's ISO form outside."""

import time
from datetime import UTC, datetime


def now() -> float:
    """Unix time in seconds."""
    return time.time()


def to_iso(moment: float) -> str:
    """UTC, ISO 8601, six decimals and no offset, as the contract writes times."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
