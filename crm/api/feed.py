"""One subscription of this process to the event channel, fanned out to its open streams.

What comes over Redis is a hint: when it is the next event it is passed on, otherwise, and after
every second of silence, the table is read. So streams go on while Redis is away, frozen or
restarted, without a gap, a repeat, or an event out of order.

Each write to a socket costs the process more than all else of an event, so what comes while the
feed rests from its last write goes out as one: the first event after silence at once, in a burst
as many writes a second as there are rests in it, however many events.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from flask import Flask
from redis import Redis
from redis.exceptions import RedisError

from crm.api.event_channel import EventChannel, Hint
from crm.api.frames import LiveEvent, batches, ephemeral_frame
from crm.api.stream_counts import stream_counts
from crm.api.subscription import Subscription
from crm.errors import TooManyStreamsError
from crm.queries import callers
from crm.queries import events as queries
from crm.queries.callers import Caller

log = structlog.get_logger(__name__)

SILENCE = 1.0
"""Seconds without a hint after which the table is read."""
RECONNECT_PAUSE = 1.0
SHORTEST_REST, LONGEST_REST = 0.02, 0.25
"""Seconds between two writes to the streams; events that come meanwhile wait for each other."""
REST_FOR_WORK = 20
"""Times the processor time of the last writes that the rest lasts, within those bounds."""
LOOK_AT_HOLDERS = 15.0
"""Seconds between looks whether those who hold streams may still; one query for all of them."""


class EventFeed:
    """Fans the event log out to the streams of this process."""

    def __init__(self) -> None:
        self.is_stopping: Callable[[], bool] = lambda: False
        self.sleep: Callable[[float], object] = time.sleep
        self.look_at_holders = LOOK_AT_HOLDERS
        self._lock = threading.Lock()
        self._subscriptions: set[Subscription] = set()
        self._owner = 0
        self._last = 0
        self._worked = 0.0
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
        if holder is None:
            return
        own = sum(each.is_held_by(holder) for each in list(self._subscriptions))
        if own >= self._per_holder:
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
        channel: EventChannel | None = None
        while not self.is_stopping():
            stream_counts.note(len(self._subscriptions))
            try:
                self._end_where_holder_may_not()
                channel = channel or self._listen()
                self._take_hints(channel.gather(SILENCE))
                self._have_rest()
            except (RedisError, OSError) as error:
                log.warning("event_channel_lost", reason=repr(error))
                _close(channel)
                channel = None
                self._catch_up_for(RECONNECT_PAUSE)
            except Exception:
                # Whatever it was, the next round reads the table; the streams must not stop.
                log.exception("event_feed_fault")
                self._catch_up_for(RECONNECT_PAUSE)
        for subscription in list(self._subscriptions):
            subscription.end()
        _close(channel)

    def _listen(self) -> EventChannel:
        channel = EventChannel(self._redis, self._channel)
        self._catch_up()
        return channel

    def _take_hints(self, hints: Sequence[Hint]) -> None:
        """What follows the last event is passed on; where some of it is missing, the table is."""
        events = sorted((hint.id, hint.document) for hint in hints if hint.id is not None)
        news = [event for event in events if event[0] > self._last]
        expected = range(self._last + 1, self._last + 1 + len(news))
        mentions = b"".join(ephemeral_frame(hint.document) for hint in hints if hint.id is None)
        if [event_id for event_id, _ in news] == [*expected]:
            self._fan_out(news, mentions)
        else:
            self._catch_up()
            self._fan_out((), mentions)
        # However many mentions come, they say nothing of what the table has.
        if not hints or time.monotonic() >= self._in_step_at + SILENCE:
            self._catch_up()

    def _have_rest(self) -> None:
        """Let events gather, where some have just gone out."""
        worked, self._worked = self._worked, 0.0
        if worked:
            self.sleep(min(max(REST_FOR_WORK * worked, SHORTEST_REST), LONGEST_REST))

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

    def _fan_out(self, events: Sequence[tuple[int, bytes]], mentions: bytes = b"") -> None:
        """Write to all streams what is new, in order."""
        if not (events or mentions):
            return
        started = time.thread_time()
        with self._lock:
            news = [LiveEvent.of(*event) for event in events if event[0] > self._last]
            if news:
                self._last = news[-1].id
                self._in_step_at = time.monotonic()
            subscriptions = list(self._subscriptions)
        for batch in batches(news, mentions):
            for subscription in subscriptions:
                subscription.offer(batch)
        self._worked += time.thread_time() - started


def _close(channel: EventChannel | None) -> None:
    if channel is not None:
        channel.close()


feed = EventFeed()
"""This process's feed."""
