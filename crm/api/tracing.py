"""Each request's id, its one line in the log, and how long answers took."""

import threading
import time
from collections import Counter
from typing import Any

import structlog
from flask import Flask, Response, g, request
from redis import Redis
from redis.exceptions import RedisError

from config.request_ids import choose_request_id
from crm.hints import hints

log = structlog.get_logger(__name__)

BUCKET = 10
"""Seconds of one bucket of timings."""
WINDOW = 300
"""Seconds that the average response time looks back."""
UNTIMED = {"stream.stream_events", "system.healthz"}


class Timings:
    """Answers and their milliseconds of the last minutes, of all processes, kept in Redis.

    Sums are handed over about once a second and off the request's path. While Redis is away this
    process tells what it knows by itself.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fresh: Counter[tuple[int, str]] = Counter()
        self._own: Counter[tuple[int, str]] = Counter()
        self._handed_over = 0.0

    def init_app(self, *, redis: "Redis[Any]", prefix: str) -> None:
        """Bind to a Redis client whose calls time out quickly."""
        self._redis, self._prefix = redis, prefix

    def add(self, milliseconds: float) -> None:
        """Count one answer."""
        bucket = int(time.time() // BUCKET)
        with self._lock:
            for counts in (self._fresh, self._own):
                counts[bucket, "count"] += 1
                counts[bucket, "us"] += round(milliseconds * 1000)
            is_due = time.monotonic() - self._handed_over > 1
            if is_due:
                self._handed_over = time.monotonic()
        if is_due:
            hints.run(self.hand_over)

    def hand_over(self) -> None:
        """Add what was counted since the last time to what all processes counted."""
        with self._lock:
            fresh, self._fresh = self._fresh, Counter()
            oldest = _oldest_bucket()
            self._own = Counter({k: v for k, v in self._own.items() if k[0] >= oldest})
        pipeline = self._redis.pipeline(transaction=False)
        for (bucket, name), amount in fresh.items():
            pipeline.hincrby(self._key(bucket), name, amount)
            pipeline.expire(self._key(bucket), WINDOW + 2 * BUCKET)
        pipeline.execute()

    def average_ms(self) -> float:
        """Mean milliseconds of an answer in the last `WINDOW` seconds; 0 where there was none."""
        buckets = range(_oldest_bucket(), int(time.time() // BUCKET) + 1)
        try:
            self.hand_over()
            pipeline = self._redis.pipeline(transaction=False)
            for bucket in buckets:
                pipeline.hmget(self._key(bucket), "count", "us")
            rows = [(int(count or 0), int(us or 0)) for count, us in pipeline.execute()]
        except (RedisError, OSError):
            rows = [(self._own[bucket, "count"], self._own[bucket, "us"]) for bucket in buckets]
        answers = sum(count for count, _ in rows)
        return sum(us for _, us in rows) / 1000 / answers if answers else 0.0

    def _key(self, bucket: int) -> str:
        return f"{self._prefix}timings:{bucket}"


def _oldest_bucket() -> int:
    return int((time.time() - WINDOW) // BUCKET)


timings = Timings()
"""This process's share of the timings."""


def init_tracing(app: Flask) -> None:
    """Wrap every request."""
    app.before_request(begin)
    app.after_request(finish)


def begin() -> None:
    """Take the caller's request id, or make one; it follows the work into every log."""
    g.started = time.perf_counter()
    g.request_id = choose_request_id(request.headers.get("X-Request-ID", ""))
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def finish(response: Response) -> Response:
    """Log the answer: path and status, never a query, a body or an address."""
    response.headers["X-Request-ID"] = g.get("request_id", "-")
    note_answer(
        method=request.method,
        path=request.path,
        status=response.status_code,
        started=g.get("started", time.perf_counter()),
        is_timed=request.endpoint not in UNTIMED,
    )
    structlog.contextvars.unbind_contextvars("request_id")
    return response


def note_answer(
    *, method: str, path: str, status: int, started: float, is_timed: bool = True, **more: str
) -> None:
    """Count an answer that was begun at `started`, and write its line with `more` beside it."""
    milliseconds = (time.perf_counter() - started) * 1000
    if is_timed:
        timings.add(milliseconds)
    log.info("request", method=method, path=path, status=status, ms=round(milliseconds, 1), **more)
