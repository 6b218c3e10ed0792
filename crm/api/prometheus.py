"""The figures as Prometheus text, read from database and Redis: true across processes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from crm.models.latency import Latency, read_histogram
from crm.queries.metrics import Figures, Totals

GATEWAY_STATES = (
    "starting", "ready", "need_qr", "degraded", "logged_out", "banned", "unreachable", "unknown",
)  # fmt: skip
"""The last: nothing was heard of it for too long, so no worker is asking."""
GATEWAY_SILENT_AFTER = 30.0
GATEWAY_QUEUES = ("sends", "callbacks", "media", "updates")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrape:
    """All that one scrape tells."""

    totals: Totals
    figures: Figures
    response_time_ms: float
    uptime_seconds: float
    streams: Mapping[str, int]
    """Open event streams by process."""
    jobs_waiting: int | None
    """None: Redis does not answer."""


class ScrapeCollector(Collector):
    """One scrape's figures."""

    def __init__(self, scrape: Scrape) -> None:
        self._scrape = scrape

    def collect(self) -> Iterator[Metric]:
        yield from _counters(self._scrape.totals)
        yield from _gauges(self._scrape)
        yield from _labelled(self._scrape)
        yield from _gateway(self._scrape.figures)
        yield from _histograms(self._scrape.totals)


def to_prometheus(scrape: Scrape) -> bytes:
    """The exposition text of one scrape."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ScrapeCollector(scrape))
    return generate_latest(registry)


def _counters(totals: Totals) -> Iterator[Metric]:
    for name, text, total in (
        ("crm_messages_sent", "Outbound messages that WhatsApp has", totals.sent),
        ("crm_messages_received", "Inbound messages", totals.received),
        ("crm_messages_failed", "Outbound messages given up", totals.failed),
    ):
        yield CounterMetricFamily(name, text, value=total)


def _gauges(scrape: Scrape) -> Iterator[Metric]:
    figures, jobs = scrape.figures, scrape.jobs_waiting
    for name, text, value in (
        ("crm_active_customers", "With a message in 30 days", scrape.totals.active_customers),
        ("crm_response_time_ms", "Mean of 5 minutes", scrape.response_time_ms),
        ("crm_uptime_seconds", "Since the web master started", scrape.uptime_seconds),
        ("crm_oldest_unsent_seconds", "Age of what the gateway has not", figures.oldest_unsent),
        ("crm_oldest_accepted_seconds", "Age of what the gateway holds", figures.oldest_accepted),
        ("crm_worker_heartbeat_age_seconds", "+Inf: never seen", figures.worker_age),
        ("crm_redis_up", "1 when Redis answers", float(jobs is not None)),
        ("crm_jobs_waiting", "Jobs that no worker has taken", _number(jobs)),
    ):
        yield GaugeMetricFamily(name, text, value=value)


def _labelled(scrape: Scrape) -> Iterator[Metric]:
    yield _family("crm_messages", "state", scrape.figures.by_dispatch, "Messages not proved sent")
    yield _family("crm_streams_open", "process", scrape.streams, "Event streams of each process")


def _gateway(figures: Figures) -> Iterator[Metric]:
    known = figures.gateway_status
    queues: Mapping[str, int] = known.get("figures", {})
    is_fresh = figures.gateway_age < GATEWAY_SILENT_AFTER
    # A gateway of the API document only tells whether it is ready.
    told = known.get("state") or ("ready" if known.get("ready") else "degraded")
    state = told if is_fresh and told in GATEWAY_STATES else "unknown"
    states = {each: int(each == state) for each in GATEWAY_STATES}
    lengths = {name: queues.get(name) for name in GATEWAY_QUEUES}
    dead = {
        "messages": figures.by_dispatch["failed"],
        "callbacks": queues.get("dead_callbacks"),
        "updates": queues.get("unreadable_updates"),
    }
    ready = float(is_fresh and bool(known.get("ready")))
    yield GaugeMetricFamily("crm_gateway_ready", "1 when connected", value=ready)
    age = figures.gateway_age
    yield GaugeMetricFamily("crm_gateway_status_age_seconds", "+Inf: never heard", value=age)
    yield _family("crm_gateway_state", "state", states, "1 for the state it is in")
    yield _family("crm_gateway_queue", "queue", lengths, "What the gateway holds, as last heard")
    yield _family("crm_dead_letters", "kind", dead, "What nobody will try again by itself")


def _histograms(totals: Totals) -> Iterator[Metric]:
    sends = HistogramMetricFamily(
        "crm_ack_latency_seconds", "From a send to WhatsApp's proof", labels=["proof"]
    )
    for proof, latency in (("sent", Latency.SENT), ("delivered", Latency.DELIVERED)):
        buckets, total = read_histogram(latency, totals.counters)
        sends.add_metric([proof], buckets, total)
    yield sends
    buckets, total = read_histogram(Latency.INBOUND, totals.counters)
    yield HistogramMetricFamily(
        "crm_inbound_lag_seconds", "From WhatsApp's stamp to the row", buckets, total
    )


def _family(
    name: str, label: str, values: Mapping[str, int | None], text: str
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], _number(value))
    return family


def _number(value: int | None) -> float:
    return float("nan") if value is None else float(value)
