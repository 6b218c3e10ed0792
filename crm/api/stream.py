"""GET /messages/events/stream: server-sent events that resume without gap or repeat."""

import random
import time
from collections.abc import Iterator
from typing import Any

from flask import Flask, Response, current_app, request
from flask_sse import ServerSentEventsBlueprint

from crm.api.access import agent
from crm.api.callers import current_caller
from crm.api.feed import feed
from crm.api.frames import LiveEvent
from crm.api.parsing import ApiBlueprint
from crm.api.subscription import Connection, Subscription
from crm.events import RESET
from crm.queries import events as queries

HEARTBEAT = 15.0
LOOK_EVERY = 2.0
"""Seconds between looks whether a silent client is still there; a write alone notices it late."""
LOOKS = 100
"""A second, by all streams of the process: thousands look less often, up to every heartbeat."""
HEARTBEAT_FRAME = b": still here\n\n"
RETRY_MS = (1000, 4000)
"""Browsers wait a random time of this range before they reconnect, so that not all come at once."""


class EventStream(ServerSentEventsBlueprint):  # type: ignore[misc]
    """flask-sse's blueprint and channel, with a stream of our own.

    Its stock `stream` sends nothing until the first event, holds one Redis connection a client,
    knows no replay, and lets `?channel=` open any channel; its `publish` connects anew each time.
    """

    def publish(self, *args: Any, **kwargs: Any) -> None:
        """Not for use: events leave through `transaction()`, after the commit."""
        raise NotImplementedError("record events with transaction().record()")

    def stream(self) -> Response:
        """Replay what the client missed, then pass on what happens."""
        if request.method == "HEAD":
            return _respond(iter(()))
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        connection = _borrow_connection()
        subscription = feed.subscribe(current_caller())
        frames = _frames(app, subscription, connection, _asked())
        response = _respond(frames)
        response.call_on_close(subscription.close)
        return response


def _asked() -> str:
    """The last event id that the client saw; the header wins over the parameter."""
    header = request.headers.get("Last-Event-ID", "").strip()
    return header or request.args.get("lastEventId", "").strip()


def _frames(
    app: Flask, subscription: Subscription, connection: Connection | None, asked: str
) -> Iterator[bytes]:
    """The opening and what was missed, through the server; then the live part."""
    seen = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 19 else -1
    can_resume = subscription.extent.can_resume(seen)
    after = seen if can_resume else max(subscription.start, subscription.extent.newest)
    yield b"id: %d\n\nretry: %d\n\n" % (after, random.randint(*RETRY_MS))
    if asked and not can_resume:
        yield LiveEvent.of(after, RESET).frame
    while after < subscription.start:
        with app.app_context():
            missed = queries.read_after(after, up_to=subscription.start)
        for event in missed:
            yield LiveEvent.of(*event).frame
        after = missed[-1][0] if missed else subscription.start
    subscription.go_live(after, connection)
    yield from _live(subscription, connection)


def _live(subscription: Subscription, connection: Connection | None) -> Iterator[bytes]:
    """Look after the connection; write to it only what the feed's thread could not.

    A stream that stops between two frames is ended by the server, any other one is cut.
    """
    beat_at = time.monotonic() + HEARTBEAT
    while (data := subscription.take(until_next_look(feed.open_streams))) is not None:
        if connection is None:
            if data:
                yield data
        elif connection.is_gone() or (data and not connection.write(data)):
            connection.cut()
            return
        if time.monotonic() >= beat_at:
            subscription.beat(HEARTBEAT_FRAME)
            beat_at = time.monotonic() + HEARTBEAT
    if connection and subscription.is_mid_frame:
        connection.cut()


def until_next_look(streams: int) -> float:
    """Seconds, where the process holds so many."""
    return min(max(LOOK_EVERY, streams / LOOKS), HEARTBEAT)


def _borrow_connection() -> Connection | None:
    """The socket itself under gunicorn; None where all must pass through the server."""
    lent = request.environ.get("gunicorn.socket")
    if lent is None:
        return None
    return Connection(lent, is_chunked=request.environ.get("SERVER_PROTOCOL") != "HTTP/1.0")


def _respond(frames: Iterator[bytes]) -> Response:
    headers = {
        "Cache-Control": "no-cache, no-transform",
        "X-Accel-Buffering": "no",
        "Connection": "close",
    }
    return Response(frames, headers=headers, mimetype="text/event-stream")


sse = EventStream("sse", __name__)
blp = ApiBlueprint("stream", __name__, url_prefix="/messages/events", description=__doc__)

RESUME_PARAMETERS = [
    {"in": "header", "name": "Last-Event-ID", "schema": {"type": "string"}},
    {"in": "query", "name": "lastEventId", "schema": {"type": "string"}},
]


@blp.route("/stream", methods=["GET"])
@agent
@blp.doc(parameters=RESUME_PARAMETERS)
@blp.response(200, {"type": "string"}, content_type="text/event-stream")
@blp.alt_response(503, description="Too many streams are open; see Retry-After.")
def stream_events() -> Response:
    """Everything that happens, as it happens.

    The objects come through `onmessage`, each with an `id`. A client that reconnects with
    `Last-Event-ID` (or `?lastEventId=`) gets what it missed, else one `reset`.
    """
    return sse.stream()
