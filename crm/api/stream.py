"""GET /messages/events/stream: server-sent events that resume without gap or repeat."""

import queue
import random
import select
import socket
import time
from collections.abc import Iterator
from typing import Any

from flask import Flask, Response, current_app, request
from flask_sse import ServerSentEventsBlueprint

from crm.api.access import agent
from crm.api.feed import Published, Subscription, feed
from crm.api.parsing import ApiBlueprint
from crm.events import RESET
from crm.queries import events as queries

HEARTBEAT = 15.0
LOOK_EVERY = 2.0
"""Seconds between looks whether a silent client is still there; a write alone notices it late."""
HEARTBEAT_FRAME = b": still here\n\n"
WRITE_TIMEOUT = 20.0
"""Seconds that one write may take; a reader that is frozen longer is cut off."""
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
        subscription = feed.subscribe()
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        connection = Connection(request.environ.get("gunicorn.socket"))
        response = _respond(_frames(app, subscription, connection, _asked()))
        response.call_on_close(subscription.close)
        return response


class Connection:
    """The client's socket, where the server lends it to us (gunicorn does)."""

    def __init__(self, lent: socket.socket | None) -> None:
        self._socket = lent
        if lent is not None:
            lent.settimeout(WRITE_TIMEOUT)

    def is_gone(self) -> bool:
        """Whether the client closed its side; it has nothing to say, so readable means closed."""
        if self._socket is None:
            return False
        readable = select.poll()
        try:
            readable.register(self._socket, select.POLLIN)
            return bool(readable.poll(0)) and not self._socket.recv(1, socket.MSG_PEEK)
        except (OSError, ValueError):
            return True


def frame(event: Published) -> bytes:
    """One event as it goes over the wire; JSON has no line breaks of its own."""
    return b"id: %d\ndata: %s\n\n" % event


def _asked() -> str:
    """The last event id that the client saw; the header wins over the parameter."""
    header = request.headers.get("Last-Event-ID", "").strip()
    return header or request.args.get("lastEventId", "").strip()


def _frames(
    app: Flask, subscription: Subscription, connection: Connection, asked: str
) -> Iterator[bytes]:
    seen = int(asked) if asked.isdecimal() and len(asked) < 19 else -1
    can_resume = subscription.extent.can_resume(seen)
    after = seen if can_resume else max(subscription.start, subscription.extent.newest)
    yield b"id: %d\n\nretry: %d\n\n" % (after, random.randint(*RETRY_MS))
    if asked and not can_resume:
        yield frame((after, RESET))
    while after < subscription.start:
        with app.app_context():
            missed = queries.read_after(after, up_to=subscription.start)
        for event in missed:
            yield frame(event)
        after = missed[-1][0] if missed else subscription.start
    yield from _live(subscription, after, connection)


def _live(subscription: Subscription, after: int, connection: Connection) -> Iterator[bytes]:
    silent_since = time.monotonic()
    while True:
        try:
            event = subscription.take(LOOK_EVERY)
        except queue.Empty:
            if connection.is_gone():
                return
            if time.monotonic() - silent_since >= HEARTBEAT:
                silent_since = time.monotonic()
                yield HEARTBEAT_FRAME
            continue
        if event is None:
            return
        if event[0] > after:
            silent_since = time.monotonic()
            yield frame(event)


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

    The seed's objects come through `onmessage`, each with an `id`. A client that reconnects with
    `Last-Event-ID` (or `?lastEventId=`) gets what it missed, else one `reset`.
    """
    return sse.stream()
