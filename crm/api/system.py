"""Health and figures."""

import time
from collections.abc import Callable
from typing import Any

from flask import Response, current_app, request
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from crm import clock
from crm.api.access import agent_or_internal, public
from crm.api.answers import json_answer
from crm.api.callers import current_caller
from crm.api.feed import feed
from crm.api.parsing import ApiBlueprint
from crm.api.prometheus import GATEWAY_SILENT_AFTER, Scrape, to_prometheus
from crm.api.stream_counts import stream_counts
from crm.api.tracing import timings
from crm.queries import metrics as queries
from crm.queue import count_waiting_jobs
from crm.schemas.system import HealthSchema, MetricsSchema

blp = ApiBlueprint("system", __name__, description=__doc__)

WORKER_SILENT_AFTER = 30.0


@blp.route("/metrics", methods=["GET"])
@agent_or_internal
@blp.response(200, MetricsSchema)
def metrics() -> Response:
    """Totals since the beginning, and how fast answers are; Prometheus text when asked for."""
    totals = queries.read_totals()
    average = timings.average_ms()
    answer = {
        "messages_sent_total": totals.sent,
        "messages_received_total": totals.received,
        "active_customers": totals.active_customers,
        "average_response_time_ms": round(average),
        "uptime_seconds": int(time.time() - current_app.config["STARTED_AT"]),
    }
    if _wants_prometheus():
        text = to_prometheus(_scrape(totals, average))
        return Response(text, content_type=CONTENT_TYPE_LATEST)
    return json_answer(answer)


@blp.route("/healthz", methods=["GET"])
@public
@blp.response(200, HealthSchema)
def healthz() -> Response:
    """This process answers."""
    return json_answer({"status": "alive"})


@blp.route("/readyz", methods=["GET"])
@public
@blp.response(200, HealthSchema)
@blp.alt_response(503, schema=HealthSchema, description="Something that delivery needs is missing.")
def readyz() -> Response:
    """Whether messages flow: database, Redis and a worker at work; and what the gateway says."""
    checks = {
        "database": _check(queries.ping_database),
        "redis": _check(current_app.extensions["redis"].ping),
    }
    if checks["database"]["state"] == "ok":
        checks["worker"] = _age(queries.newest_heartbeat, WORKER_SILENT_AFTER)
        checks["gateway"] = _gateway()
    else:
        checks["worker"] = checks["gateway"] = {"state": "unknown", "age_seconds": None}
    is_ready = all(checks[name]["state"] == "ok" for name in ("database", "redis", "worker"))
    status = "ready" if is_ready else "not ready"
    is_known = current_caller() is not None or not current_app.config["AUTH_REQUIRED"]
    details = checks if is_known else {}
    return json_answer({"status": status} | details, 200 if is_ready else 503)


def _scrape(totals: queries.Totals, average: float) -> Scrape:
    is_up = _check(current_app.extensions["redis"].ping)["state"] == "ok"
    return Scrape(
        totals=totals,
        figures=queries.read_figures(),
        response_time_ms=average,
        uptime_seconds=int(time.time() - current_app.config["STARTED_AT"]),
        streams=stream_counts.read(feed.open_streams),
        jobs_waiting=count_waiting_jobs() if is_up else None,
    )


def _wants_prometheus() -> bool:
    # By name alone: scrapers add a `version`, which would make werkzeug prefer their `*/*`.
    wishes = {name.partition(";")[0]: quality for name, quality in request.accept_mimetypes}
    text = max(wishes.get("text/plain", 0.0), wishes.get("application/openmetrics-text", 0.0))
    return text > wishes.get("application/json", 0.0)


def _check(probe: Callable[[], Any]) -> dict[str, Any]:
    started = time.perf_counter()
    try:
        probe()
    except Exception as error:  # whatever it is, it is not ready
        return {"state": "failing", "age_seconds": None, "reason": type(error).__name__}
    milliseconds = round((time.perf_counter() - started) * 1000, 1)
    return {"state": "ok", "age_seconds": 0.0, "ms": milliseconds}


def _age(read: Callable[[], Any], limit: float) -> dict[str, Any]:
    moment = read()
    if moment is None:
        return {"state": "never seen", "age_seconds": None}
    age = round((clock.now() - moment).total_seconds(), 1)
    return {"state": "ok" if age < limit else "silent", "age_seconds": age}


def _gateway() -> dict[str, Any]:
    status, checked_at = queries.read_gateway_status()
    seen = _age(lambda: checked_at, GATEWAY_SILENT_AFTER)
    if seen["state"] == "ok":
        is_ready = bool((status or {}).get("ready"))
        seen["state"] = "ok" if is_ready else str((status or {}).get("state", "not ready"))
    return seen
