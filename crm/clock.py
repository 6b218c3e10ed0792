"""The product's one notion of time: naive UTC datetimes, six decimals on the wire."""

from datetime import UTC, datetime
from typing import overload


def now() -> datetime:
    """The current time in UTC, without an offset, as every column stores it."""
    return datetime.now(UTC).replace(tzinfo=None)


@overload
def to_wire(moment: datetime) -> str: ...
@overload
def to_wire(moment: None) -> None: ...
def to_wire(moment: datetime | None) -> str | None:
    """`2025-09-23T14:05:43.040413`, as in the API document's examples."""
    return moment.isoformat(timespec="microseconds") if moment else None
