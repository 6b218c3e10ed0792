"""Every error, of whatever origin, as `{"detail": "<one readable sentence>"}`."""

from typing import Any

import structlog
from flask import Flask, Response, g
from flask.json import jsonify
from sqlalchemy.exc import DBAPIError, TimeoutError
from werkzeug.exceptions import HTTPException

from crm.api.limits import seconds_to_wait
from crm.database_errors import translate
from crm.errors import CrmError, UnavailableError

log = structlog.get_logger(__name__)

SENTENCES = {
    400: "The request is not well-formed JSON.",
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
    413: "The request body is too large.",
    415: "Send JSON, with Content-Type: application/json.",
    422: "The data is not valid.",
    429: "Too many requests; try again later.",
}


def init_errors(app: Flask) -> None:
    """Turn exceptions into answers."""
    app.register_error_handler(CrmError, answer_crm_error)
    app.register_error_handler(HTTPException, answer_http_error)
    app.register_error_handler(DBAPIError, answer_database_error)
    app.register_error_handler(TimeoutError, answer_database_error)
    app.register_error_handler(Exception, answer_fault)


def answer(status: int, detail: str, **more: Any) -> Response:
    """The one error body."""
    response = jsonify({"detail": detail} | more)
    response.status_code = status
    return response


def answer_crm_error(error: CrmError) -> Response:
    """An error that the product raised on purpose."""
    response = answer(error.status, error.detail, **error.more)
    if isinstance(error, UnavailableError):
        response.headers["Retry-After"] = str(error.retry_after)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def answer_http_error(error: HTTPException) -> Response:
    """An error of Flask, werkzeug or webargs; validation errors become the `errors` object."""
    status = error.code or 500
    if status >= 500:
        return answer_fault(error)
    errors = _validation_errors(error)
    detail = SENTENCES.get(status, error.description or error.name)
    if errors:
        field, messages = next(iter(errors.items()))
        said = messages[0] if isinstance(messages, list) and messages else "Not valid."
        detail = f"{field}: {said}" if field != "_schema" else str(said)
    response = answer(status, detail, **({"errors": errors} if errors else {}))
    if status == 405 and getattr(error, "valid_methods", None):
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))  # type: ignore[attr-defined]
    if status == 429:
        response.headers["Retry-After"] = str(seconds_to_wait())
    if status == 413:
        response.headers["Connection"] = "close"
    return response


def answer_database_error(error: Exception) -> Response:
    """A read met a database that is busy or gone."""
    translated = translate(error)
    if isinstance(translated, CrmError):
        log.warning("database_unavailable", reason=type(error).__name__)
        return answer_crm_error(translated)
    return answer_fault(error)


def answer_fault(error: Exception) -> Response:
    """A fault of ours: the log has the trace, the caller the request id to quote."""
    log.error("fault", exc_info=error)
    return answer(500, f"Something went wrong; quote request {g.get('request_id', '-')}.")


def _validation_errors(error: HTTPException) -> dict[str, Any] | None:
    """webargs keeps them under the place they came from: `{"json": {field: [messages]}}`."""
    messages = (getattr(error, "data", None) or {}).get("messages")
    if not isinstance(messages, dict):
        return None
    return {field: said for place in messages.values() for field, said in _flat(place).items()}


def _flat(place: Any) -> dict[str, Any]:
    if isinstance(place, dict):
        return {str(field): said if isinstance(said, list) else [str(said)]
                for field, said in place.items()}  # fmt: skip
    return {"_schema": place if isinstance(place, list) else [str(place)]}
