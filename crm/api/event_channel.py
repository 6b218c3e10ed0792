"""The event channel as a web process hears it: hints, all that have arrived at a time."""

from dataclasses import dataclass
from typing import Any

import orjson
from redis import Redis

MOST = 1000
"""Hints taken at a time, so that what never ends is passed on all the same."""


@dataclass(frozen=True, slots=True)
class Hint:
    """What `crm.hints.sse_message` put on the channel. What is no row of the log has no id."""

    id: int | None
    document: bytes


class EventChannel:
    """One subscription to the channel, on a connection of its own."""

    def __init__(self, redis: "Redis[Any]", name: str) -> None:
        self._hints = redis.pubsub(ignore_subscribe_messages=True)
        self._hints.subscribe(name)

    def gather(self, timeout: float) -> list[Hint]:
        """What has arrived, in order; waits up to `timeout` for the first. Raises `RedisError`."""
        gathered = []
        while message := self._hints.get_message(timeout=timeout):
            if message["type"] == "message":
                gathered.append(_read(message["data"]))
            # Asked first: `get_message(timeout=0)` takes half a message for a lost connection.
            if len(gathered) >= MOST or not self._hints.connection.can_read(timeout=0):
                break
        return gathered

    def close(self) -> None:
        """Give the connection back."""
        self._hints.close()


def _read(data: bytes) -> Hint:
    hint = orjson.loads(data)
    return Hint(hint.get("id"), orjson.dumps(hint["data"]))
