"""Every error answers `{"detail": "<one readable sentence>"}`."""

import structlog
from flask import Flask, g, jsonify
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError
from sqlalchemy.exc import DBAPIError, TimeoutError
from werkzeug.exceptions import HTTPException

from gateway.drivers.base import DriverError, PermanentError, TemporaryError
from gateway.orders import NotConnectedError, UnknownMessageError
from gateway.store.database import StoreBusyError, StoreLostError

log = structlog.get_logger(__name__)

NOT_CONNECTED_PAUSE = "5"
STORE_AWAY_PAUSE = "2"


def add_error_handlers(app: Flask) -> None:
    app.register_error_handler(HTTPException, answer_http_error)
    app.register_error_handler(ValidationError, answer_invalid)
    app.register_error_handler(NotConnectedError, answer_not_connected)
    app.register_error_handler(DriverError, answer_driver_error)
    app.register_error_handler(UnknownMessageError, answer_unknown_message)
    app.register_error_handler(Exception, answer_unexpected)
    for error in (StoreBusyError, StoreLostError, DBAPIError, TimeoutError):
        app.register_error_handler(error, answer_store_away)


def answer_http_error(error: HTTPException) -> ResponseReturnValue:
    headers = {
        name: value
        for name, value in error.get_headers()
        if name in {"Allow", "Retry-After", "WWW-Authenticate"}
    }
    return jsonify(detail=error.description), error.code or 500, headers


def answer_invalid(error: ValidationError) -> ResponseReturnValue:
    fields: dict[str, object] = error.normalized_messages()  # type: ignore[no-untyped-call]
    detail = "; ".join(f"{name.removeprefix('_')}: {_first(said)}" for name, said in fields.items())
    return jsonify(detail=detail, errors=fields), 422


def _first(said: object) -> str:
    if isinstance(said, dict):
        said = list(said.values())
    return _first(said[0]) if isinstance(said, list) and said else str(said)


def answer_not_connected(error: NotConnectedError) -> ResponseReturnValue:
    return jsonify(detail=str(error)), 503, {"Retry-After": NOT_CONNECTED_PAUSE}


def answer_driver_error(error: DriverError) -> ResponseReturnValue:
    """WhatsApp refuses this (422), or cannot be asked just now (503)."""
    if isinstance(error, PermanentError):
        return jsonify(detail=error.reason), 422
    pause = max(1, round(error.delay)) if isinstance(error, TemporaryError) else NOT_CONNECTED_PAUSE
    detail = f"WhatsApp cannot be asked now: {error}."
    return jsonify(detail=detail), 503, {"Retry-After": str(pause)}


def answer_unknown_message(_error: UnknownMessageError) -> ResponseReturnValue:
    return jsonify(detail="The gateway has accepted no message with this id."), 404


def answer_store_away(error: Exception) -> ResponseReturnValue:
    log.error("store_away", error=type(error).__name__)
    detail = "The gateway's store does not answer in time, try again in a moment."
    return jsonify(detail=detail), 503, {"Retry-After": STORE_AWAY_PAUSE}


def answer_unexpected(_error: Exception) -> ResponseReturnValue:
    log.exception("request_failed")
    return jsonify(detail=f"Something went wrong here; request id {g.request_id}."), 500
