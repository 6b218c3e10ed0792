"""The product's one notion of time: naive UTC datetimes, six decimals on the wire."""

from datetime import UTC, datetime


def now() -> datetime:
    """The current time in UTC, without an offset, as every column stores it."""
    return datetime.now(UTC).replace(tzinfo=None)


def to_wire(moment: datetime | None) -> str | None:
    """`2025-09-23T14:05:43.040413`, as in the API document's examples."""
    return moment.isoformat(timespec="microseconds") if moment else None
