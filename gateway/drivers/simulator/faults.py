"""Misbehaviour of the HTTP door: what a broken gateway or network does to `POST /send`."""

import errno
import threading
from collections.abc import Callable, Iterator

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import InternalServerError, ServiceUnavailable

from gateway.drivers.simulator.misbehaviour import Misbehaviour, strikes

SEND = "internal.accept_send"


class Faults:
    """Spoils answers of `POST /send` as ordered."""

    def __init__(
        self, misbehaviour: Callable[[], Misbehaviour], *, stopping: threading.Event
    ) -> None:
        self._misbehaviour = misbehaviour
        self._stopping = stopping

    def add_to(self, app: Flask) -> None:
        app.before_request(self._refuse)
        app.after_request(self._spoil)

    def _refuse(self) -> None:
        """Before anything is accepted."""
        if request.endpoint != SEND:
            return
        if strikes(self._misbehaviour().unavailable):
            raise ServiceUnavailable("The gateway is overloaded, on order.", retry_after=1)
        if strikes(self._misbehaviour().errors):
            raise InternalServerError("The gateway is broken, on order.")

    def _spoil(self, response: Response) -> Response:
        """After the order was accepted durably."""
        if request.endpoint != SEND or response.status_code != 202:
            return response
        ordered = self._misbehaviour()
        if strikes(ordered.stalls):
            self._stopping.wait(ordered.stall_seconds)
        if strikes(ordered.lost_answers):
            return Response(LostAnswer(), status=202)
        if strikes(ordered.broken_answers):
            broken = jsonify(detail="The gateway broke after accepting, on order.")
            broken.status_code = 500
            return broken
        return response


class LostAnswer:
    """A body that fails before its first byte: the server closes without an answer."""

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        raise ConnectionResetError(errno.ECONNRESET, "lost on order")
