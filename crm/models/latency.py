"""How long things took, as histograms whose every bucket is a row of `counters`.

Written in the transaction of what they measure: true across processes, and after a restart.
"""

from enum import StrEnum

BOUNDS = (1, 2, 5, 10, 30, 60, 300, 3600)
"""Upper edges of the buckets, in seconds; one more bucket holds what took longer."""
BEYOND = "inf"


class Latency(StrEnum):
    SENT = "latency_sent"  # from an agent's send until WhatsApp has it
    DELIVERED = "latency_delivered"  # from an agent's send until the first proof of delivery
    INBOUND = "latency_inbound"  # from WhatsApp's stamp until the row is stored


def observe(latency: Latency, seconds: float) -> dict[str, int]:
    """The counters that one observation raises, each with its amount."""
    seconds = max(0.0, seconds)
    edge = next((str(bound) for bound in BOUNDS if seconds <= bound), BEYOND)
    return {f"{latency}_{edge}": 1, f"{latency}_ms": round(seconds * 1000)}


def read_histogram(
    latency: Latency, totals: dict[str, int]
) -> tuple[list[tuple[str, float]], float]:
    """Cumulated buckets by upper edge, and the sum in seconds."""
    buckets, count = list[tuple[str, float]](), 0
    for bound in (*map(str, BOUNDS), BEYOND):
        count += totals.get(f"{latency}_{bound}", 0)
        buckets.append((f"{float(bound)}" if bound != BEYOND else "+Inf", float(count)))
    return buckets, totals.get(f"{latency}_ms", 0) / 1000
