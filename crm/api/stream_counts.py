"""How many event streams each web process holds, told through Redis to whoever is asked."""

import os
import socket
import threading
import time
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from crm.hints import hints

TELL_EVERY = 5.0
BELIEVED_FOR = 20.0
"""Seconds after which a process that said no more is taken for ended."""


class StreamCounts:
    """Each process writes its own count; `read` gives those of all."""

    def __init__(self) -> None:
        self._told_at = 0.0
        self._lock = threading.Lock()

    def init_app(self, *, redis: "Redis[Any]", prefix: str) -> None:
        """Bind to a Redis client whose calls time out quickly."""
        self._redis, self._key = redis, f"{prefix}streams"

    def note(self, count: int) -> None:
        """Tell this process's count, every few seconds and off the caller's path."""
        with self._lock:
            is_due = time.monotonic() - self._told_at > TELL_EVERY
            if is_due:
                self._told_at = time.monotonic()
        if is_due:
            hints.run(lambda: self._tell(count))

    def read(self, own: int) -> dict[str, int]:
        """Streams by process; this process's number alone while Redis is away."""
        counts = {}
        try:
            for name, told in self._redis.hgetall(self._key).items():
                count, at = told.decode().split(":")
                if time.time() - float(at) < BELIEVED_FOR:
                    counts[name.decode()] = int(count)
        except (RedisError, OSError):
            counts.clear()
        return counts | {process_name(): own}

    def _tell(self, count: int) -> None:
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.hset(self._key, process_name(), f"{count}:{time.time():.0f}")
        # So that ended processes are forgotten once all have ended, and the list stays short.
        pipeline.expire(self._key, 3600)
        pipeline.execute()


def process_name() -> str:
    """This process among all on all machines."""
    return f"{socket.gethostname()}:{os.getpid()}"


stream_counts = StreamCounts()
"""This process's share of the counts."""
