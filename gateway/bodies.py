"""Request bodies: JSON, read strictly, checked by a schema."""

import json
from typing import Any, NoReturn

from flask import request
from marshmallow import Schema
from werkzeug.exceptions import BadRequest


def load_body(schema: Schema) -> Any:
    """The validated body. Raises BadRequest (400) or marshmallow's ValidationError (422)."""
    try:
        body = json.loads(request.get_data(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BadRequest("The body is not valid JSON.") from error
    return schema.load(body)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
