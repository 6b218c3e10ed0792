"""The figures for Prometheus: what each says, that none lies, and the dashboard that draws them."""

import json
import math
import re
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from config.settings import PROJECT_ROOT
from crm import clock
from crm.api.prometheus import GATEWAY_QUEUES, GATEWAY_STATES
from crm.api.stream_counts import process_name, stream_counts
from crm.models import GatewayLink, Message, WorkerHeartbeat
from crm.models.latency import BOUNDS, Latency, observe, read_histogram
from crm.services.gateway import refresh_gateway_status
from gateway.drivers.base import DriverState
from tests.kit.app import Backend
from tests.kit.fixtures import Make

STATUS = {
    "ready": True, "state": "ready", "queue": 7,
    "callbacks": {"pending": 3, "dead": 2, "dead_letters": [{"id": 1}]},
    "media": {"pending": 4, "failed": 1}, "updates": {"pending": 5, "unreadable": 6},
}  # fmt: skip
DASHBOARD = json.loads((PROJECT_ROOT / "docs/grafana.json").read_text())


class Figures:
    """One scrape, as Prometheus reads it."""

    def __init__(self, client: FlaskClient) -> None:
        answer = client.get("/metrics", headers={"Accept": "text/plain"})
        assert answer.status_code == 200
        self.samples = [
            sample
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        ]

    def __call__(self, name: str, **labels: str) -> float:
        (value,) = [s.value for s in self.samples if (s.name, s.labels) == (name, labels)]
        return float(value)

    def names(self) -> set[str]:
        return {sample.name for sample in self.samples if not sample.name.endswith("_created")}

    def by(self, name: str, label: str) -> dict[str, float]:
        return {s.labels[label]: s.value for s in self.samples if s.name == name}


@pytest.fixture
def refresh(backend: Backend) -> Any:
    """A worker asks the gateway, which says this."""

    def ask(status: dict[str, Any]) -> None:
        backend.gateway.answers = {"/status": (200, status)}
        with backend.app.app_context():
            refresh_gateway_status()

    return ask


def test_the_dashboard_draws_exactly_what_is_exported(client: FlaskClient) -> None:
    text = " ".join(
        target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", [])
    )
    assert set(re.findall(r"\bcrm_\w+", text)) == Figures(client).names()


def test_the_age_of_the_oldest_unsent_message(
    client: FlaskClient, backend: Backend, send_as: Make
) -> None:
    assert Figures(client)("crm_oldest_unsent_seconds") == 0
    older, newer, accepted = (send_as()["id"] for _ in range(3))
    now = clock.now()
    backend.change(Message, older, queued_at=now - timedelta(seconds=90), dispatch="sending")
    backend.change(Message, newer, queued_at=now - timedelta(seconds=30))
    backend.change(Message, accepted, accepted_at=now - timedelta(seconds=500), dispatch="accepted")
    figures = Figures(client)
    assert 90 <= figures("crm_oldest_unsent_seconds") < 120
    assert 500 <= figures("crm_oldest_accepted_seconds") < 530
    states = figures.by("crm_messages", "state")
    assert states == {
        "queued": 1, "sending": 1, "accepted": 1, "failed": 0, "unknown": 0, "cancelled": 0
    }  # fmt: skip


def test_latencies_are_told_as_histograms(
    client: FlaskClient, backend: Backend, send_as: Make
) -> None:
    message_id = send_as()["id"]
    backend.change(Message, message_id, queued_at=clock.now() - timedelta(seconds=8))
    client.post("/messages/map", json={"backend_id": message_id, "whatsapp_id": "A"})
    for ack in (2, 2, 3):
        client.post("/messages/ack", json={"message_id": "A", "ack": ack})
    figures = Figures(client)
    for proof in ("sent", "delivered"):
        assert figures("crm_ack_latency_seconds_count", proof=proof) == 1
        assert figures("crm_ack_latency_seconds_bucket", proof=proof, le="5.0") == 0
        assert figures("crm_ack_latency_seconds_bucket", proof=proof, le="30.0") == 1
        assert 8 <= figures("crm_ack_latency_seconds_sum", proof=proof) < 30


def test_inbound_lag_is_counted_from_whatsapps_stamp_and_once(
    client: FlaskClient, receive: Make
) -> None:
    stamp = (clock.now() - timedelta(seconds=40)).isoformat()
    for _ in range(2):
        client.post(
            "/messages/inbox",
            json={"phone": "60123", "content": "x", "whatsapp_id": "I", "timestamp": stamp},
        )
    receive(whatsapp_id="unstamped")
    figures = Figures(client)
    assert figures("crm_inbound_lag_seconds_count") == 1
    assert figures("crm_inbound_lag_seconds_bucket", le="30.0") == 0
    assert figures("crm_inbound_lag_seconds_bucket", le="60.0") == 1
    assert 40 <= figures("crm_inbound_lag_seconds_sum") < 60


@pytest.mark.parametrize("seconds", [-5, 0, 1, 1.01, 299, 3600, 3601, 10**6])
def test_each_observation_is_in_one_bucket(seconds: float) -> None:
    raised = observe(Latency.SENT, seconds)
    buckets, total = read_histogram(Latency.SENT, raised)
    assert buckets[-1] == ("+Inf", 1.0)
    assert total == max(0, seconds)
    below = [count for bound, (_, count) in zip(BOUNDS, buckets, strict=False) if bound < seconds]
    assert sum(below) == 0


def test_the_gateways_queues_and_dead_letters_are_those_it_last_told(
    client: FlaskClient, backend: Backend, send_as: Make, refresh: Any
) -> None:
    figures = Figures(client)
    assert all(math.isnan(each) for each in figures.by("crm_gateway_queue", "queue").values())
    assert figures.by("crm_gateway_state", "state")["unknown"] == 1
    backend.change(Message, send_as()["id"], dispatch="failed")
    refresh(STATUS)
    assert backend.events()[-1]["gateway"] == {"ready": True, "state": "ready"}
    refresh(STATUS | {"queue": 8})
    assert backend.event_types().count("gateway_status") == 1
    client.post("/webhooks/whatsapp/status", json={"state": "degraded", "ready": False})
    told = backend.events()[-1]["gateway"]
    assert told == {"state": "degraded", "ready": False}
    figures = Figures(client)
    assert figures.by("crm_gateway_queue", "queue") == dict(
        zip(GATEWAY_QUEUES, (8, 3, 4, 5), strict=True)
    )
    dead = figures.by("crm_dead_letters", "kind")
    assert dead == {"messages": 1, "callbacks": 2, "updates": 6}
    states = figures.by("crm_gateway_state", "state")
    assert [state for state, value in states.items() if value] == ["degraded"]


@pytest.mark.parametrize("status", [{"ready": True}, {"ready": True, "queue": "7", "media": []}])
def test_a_gateway_that_only_says_that_it_is_ready_is_ready(
    client: FlaskClient, refresh: Any, status: dict[str, Any]
) -> None:
    refresh(status)
    figures = Figures(client)
    assert figures("crm_gateway_ready") == 1
    assert figures.by("crm_gateway_state", "state")["ready"] == 1
    assert math.isnan(figures("crm_gateway_queue", queue="sends"))


def test_an_old_word_of_the_gateway_is_not_believed(
    client: FlaskClient, backend: Backend, refresh: Any
) -> None:
    refresh(STATUS)
    backend.change(GatewayLink, 1, checked_at=clock.now() - timedelta(seconds=60))
    figures = Figures(client)
    assert figures("crm_gateway_ready") == 0
    assert figures.by("crm_gateway_state", "state")["unknown"] == 1
    assert figures("crm_gateway_status_age_seconds") >= 60


def test_every_state_of_the_gateway_has_its_series() -> None:
    assert {*map(str, DriverState), "unreachable", "unknown"} == set(GATEWAY_STATES)


def test_a_worker_that_was_never_seen_is_infinitely_late(
    client: FlaskClient, backend: Backend
) -> None:
    assert Figures(client)("crm_worker_heartbeat_age_seconds") == math.inf
    with backend.session() as session:
        session.add(WorkerHeartbeat(name="a", beat_at=clock.now() - timedelta(seconds=99)))
        session.add(WorkerHeartbeat(name="b", beat_at=clock.now() - timedelta(seconds=3)))
    assert 3 <= Figures(client)("crm_worker_heartbeat_age_seconds") < 60


def test_streams_are_counted_for_every_process(client: FlaskClient, backend: Backend) -> None:
    redis = backend.app.extensions["redis"]
    now = int(clock.now().timestamp())
    stream_counts._tell(3)
    told = redis.hget("crm:streams", process_name()).decode()
    redis.hset("crm:streams", "other:1", told.replace("3:", "11:"))
    redis.hset("crm:streams", "ended:1", f"5:{now - 100_000}")
    try:
        assert Figures(client).by("crm_streams_open", "process") == {
            "other:1": 11, process_name(): 0
        }  # fmt: skip
    finally:
        redis.delete("crm:streams")


def test_without_redis_the_figures_of_the_database_go_on(
    client: FlaskClient, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = type(backend.app.extensions["redis"]).from_url("redis://127.0.0.1:1/0")
    monkeypatch.setitem(backend.app.extensions, "redis", gone)
    figures = Figures(client)
    assert figures("crm_redis_up") == 0
    assert math.isnan(figures("crm_jobs_waiting"))
    assert figures("crm_oldest_unsent_seconds") == 0
    monkeypatch.undo()
    assert Figures(client)("crm_redis_up") == 1
    assert Figures(client)("crm_jobs_waiting") >= 0
