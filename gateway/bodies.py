"""Request bodies: JSON, read strictly, checked by a schema."""

import json
from typing import Any, NoReturn

from flask import request
from marshmallow import Schema
from werkzeug.exceptions import BadRequest


def load_body(schema: Schema) -> Any:
    """The validated body. Raises BadRequest, RequestEntityTooLarge or ValidationError."""
    raw = request.get_data()
    request.stream.read(1)  # A chunked body is cut at the limit; reading on raises the 413.
    try:
        body = json.loads(raw, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BadRequest("The body is not valid JSON.") from error
    return schema.load(body)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
