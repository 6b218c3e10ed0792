"""The figures as Prometheus text, read from database and Redis: true across processes."""

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from crm.queries.metrics import Figures


class FiguresCollector(Collector):
    """One scrape's figures."""

    def __init__(self, figures: Figures, totals: Mapping[str, float], open_streams: int) -> None:
        self._figures, self._totals, self._open_streams = figures, totals, open_streams

    def collect(self) -> Iterator[Metric]:
        figures = self._figures
        for name, text, total in (
            ("crm_messages_sent", "Outbound messages that WhatsApp has", figures.sent),
            ("crm_messages_received", "Inbound messages", figures.received),
            ("crm_messages_failed", "Outbound messages given up", figures.failed),
        ):
            yield CounterMetricFamily(name, text, value=total)
        for name, text, value in (
            ("crm_active_customers", "With a message in 30 days", figures.active_customers),
            ("crm_response_time_ms", "Mean of 5 minutes", self._totals["average_response_time_ms"]),
            ("crm_uptime_seconds", "Since the web master started", self._totals["uptime_seconds"]),
            ("crm_oldest_unsent_seconds", "Age of what waits", figures.oldest_unsent_seconds),
            ("crm_gateway_ready", "1 when connected", float(figures.gateway_ready)),
            ("crm_streams_open", "Event streams of the process asked", self._open_streams),
        ):
            yield GaugeMetricFamily(name, text, value=value)
        waiting = GaugeMetricFamily(
            "crm_messages", "Outbound messages not proved sent", labels=["state"]
        )
        for state, count in figures.by_dispatch.items():
            waiting.add_metric([state], count)
        yield waiting


def to_prometheus(figures: Figures, totals: Mapping[str, float], *, open_streams: int) -> bytes:
    """The exposition text of one scrape."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(FiguresCollector(figures, totals, open_streams))
    return generate_latest(registry)
