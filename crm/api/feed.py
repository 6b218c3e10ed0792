"""One subscription of this process to the event channel, fanned out to its open streams.

What comes over Redis is a hint: when it is the next event it is passed on, otherwise, and after
every second of silence, the table is read. So streams go on while Redis is away, frozen or
restarted, without a gap, a repeat, or an event out of order.
"""

import os
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import orjson
import structlog
from flask import Flask
from redis import Redis
from redis.client import PubSub
from redis.exceptions import RedisError

from crm.api.stream_counts import stream_counts
from crm.api.subscription import LiveEvent, Subscription, ephemeral_frame
from crm.errors import TooManyStreamsError
from crm.queries import callers
from crm.queries import events as queries
from crm.queries.callers import Caller

log = structlog.get_logger(__name__)

SILENCE = 1.0
"""Seconds without a hint after which the table is read."""
RECONNECT_PAUSE = 1.0
LOOK_AT_HOLDERS = 15.0
"""Seconds between looks whether those who hold streams may still; one query for all of them."""


class EventFeed:
    """Fans the event log out to the streams of this process."""

    def __init__(self) -> None:
        self.is_stopping: Callable[[], bool] = lambda: False
        self.look_at_holders = LOOK_AT_HOLDERS
        self._lock = threading.Lock()
        self._subscriptions: set[Subscription] = set()
        self._owner = 0
        self._last = 0
        self._looked_at_holders = 0.0
        self._in_step_at = 0.0

    def init_app(
        self, app: Flask, *, redis: "Redis[Any]", channel: str, max_streams: int, per_holder: int
    ) -> None:
        """Bind to an app; the thread starts with the first stream."""
        self._app, self._redis, self._channel = app, redis, channel
        self._max_streams, self._per_holder = max_streams, per_holder
        self._last = 0  # ids of another database mean nothing here

    @property
    def open_streams(self) -> int:
        """How many streams this process holds."""
        return len(self._subscriptions)

    def subscribe(self, holder: Caller | None = None) -> Subscription:
        """Open a stream from now on. Raises `TooManyStreamsError`."""
        self._ensure_thread()
        if self.is_stopping():
            raise TooManyStreamsError
        self._require_room(holder)
        extent = self._read(queries.read_extent)
        with self._lock:
            self._require_room(holder)  # others may have been faster while the table was read
            if not self._subscriptions:
                # Nobody listened, so nothing was read; what came meanwhile is in the table.
                self._last = max(self._last, extent.newest)
            subscription = Subscription(self._last, extent, self._leave, holder=holder)
            self._subscriptions.add(subscription)
        return subscription

    def _require_room(self, holder: Caller | None) -> None:
        if len(self._subscriptions) >= self._max_streams:
            raise TooManyStreamsError
        own = [each for each in list(self._subscriptions) if holder and each.is_held_by(holder)]
        if len(own) >= self._per_holder:
            raise TooManyStreamsError("You have too many event streams open; close some.")

    def _leave(self, subscription: Subscription) -> None:
        self._subscriptions.discard(subscription)

    def _ensure_thread(self) -> None:
        if self._owner == os.getpid():
            return
        with self._lock:
            if self._owner != os.getpid():
                threading.Thread(target=self._run, name="event-feed", daemon=True).start()
                self._owner = os.getpid()

    def _read(self, query: Callable[..., Any], *args: Any) -> Any:
        with self._app.app_context():
            return query(*args)

    def _run(self) -> None:
        hints: PubSub | None = None
        while not self.is_stopping():
            stream_counts.note(len(self._subscriptions))
            try:
                self._end_where_holder_may_not()
                hints = hints or self._listen()
                self._take_hint(hints)
            except (RedisError, OSError) as error:
                log.warning("event_channel_lost", reason=repr(error))
                _close(hints)
                hints = None
                self._catch_up_for(RECONNECT_PAUSE)
            except Exception:
                # Whatever it was, the next round reads the table; the streams must not stop.
                log.exception("event_feed_fault")
                self._catch_up_for(RECONNECT_PAUSE)
        for subscription in list(self._subscriptions):
            subscription.end()
        _close(hints)

    def _listen(self) -> PubSub:
        hints = self._redis.pubsub(ignore_subscribe_messages=True)
        hints.subscribe(self._channel)
        self._catch_up()
        return hints

    def _take_hint(self, hints: PubSub) -> None:
        message = hints.get_message(timeout=SILENCE)
        if message is None or message["type"] != "message":
            self._catch_up()
            return
        hint = orjson.loads(message["data"])
        event_id, document = hint.get("id"), orjson.dumps(hint["data"])
        if event_id is None:
            self._pass_on(document)
        elif event_id == self._last + 1:
            self._fan_out([(event_id, document)])
        elif event_id > self._last:
            self._catch_up()

    def _pass_on(self, document: bytes) -> None:
        """Something that is no event: to whoever takes it at once."""
        frame = ephemeral_frame(document)
        for subscription in list(self._subscriptions):
            subscription.mention(frame)
        # However many come, they say nothing of what the table has.
        if time.monotonic() >= self._in_step_at + SILENCE:
            self._catch_up()

    def _catch_up(self) -> None:
        self._in_step_at = time.monotonic()
        if not self._subscriptions:
            return
        while rows := self._read(queries.read_after, self._last):
            self._fan_out(rows)

    def _catch_up_for(self, seconds: float) -> None:
        """Reading the table is all there is while Redis is away."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self.is_stopping():
            try:
                self._catch_up()
            except Exception as error:
                log.warning("event_table_unreadable", reason=type(error).__name__)
            time.sleep(0.25)

    def _end_where_holder_may_not(self) -> None:
        """End the streams of sessions and tokens that are over."""
        if time.monotonic() < self._looked_at_holders + self.look_at_holders:
            return
        self._looked_at_holders = time.monotonic()
        held = [each for each in list(self._subscriptions) if each.holder]
        if not held:
            return
        valid = self._read(callers.still_valid, {each.holder.proof for each in held if each.holder})
        for subscription in held:
            if subscription.holder and subscription.holder.proof not in valid:
                subscription.end()

    def _fan_out(self, events: Iterable[tuple[int, bytes]]) -> None:
        self._in_step_at = time.monotonic()
        for event_id, document in events:
            with self._lock:
                if event_id <= self._last:
                    continue
                self._last = event_id
                subscriptions = list(self._subscriptions)
            event = LiveEvent.of(event_id, document)
            for subscription in subscriptions:
                subscription.offer(event)


def _close(hints: PubSub | None) -> None:
    if hints is not None:
        hints.close()


feed = EventFeed()
"""This process's feed."""
