"""Request bodies: strict JSON, whatever comes."""

import json
from functools import lru_cache
from typing import Any, NoReturn

import marshmallow as ma
from flask import Request, request
from flask_smorest import Blueprint
from webargs.flaskparser import FlaskParser
from webargs.multidictproxy import MultiDictProxy
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType
from werkzeug.routing import IntegerConverter
from werkzeug.routing import ValidationError as NoSuchAddress


class StrictParser(FlaskParser):
    """Reads JSON that is named JSON; broken, endless or NaN-ridden bodies are a 400."""

    DEFAULT_UNKNOWN_BY_LOCATION = {"json": None, "query": ma.EXCLUDE, "headers": ma.EXCLUDE}  # noqa: RUF012

    def parse(
        self,
        argmap: Any,
        req: Request | None = None,
        *,
        location: str | None = None,
        **options: Any,
    ) -> Any:
        """What the request brings. Raises a 4xx."""
        if location == "query":
            return dict(_parse_query(argmap, request.query_string))
        return super().parse(argmap, req, location=location, **options)

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        body = req.get_data(cache=False)
        if req.content_length is None and len(body) >= (req.max_content_length or 0):
            raise RequestEntityTooLarge  # werkzeug cuts a chunked body off without a word
        if not body.strip():
            return {}
        if not req.is_json:
            raise UnsupportedMediaType
        try:
            return json.loads(body.decode(), parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise BadRequest from error

    def load_querystring(self, req: Request, schema: ma.Schema) -> Any:
        return MultiDictProxy(req.args, schema)


@lru_cache(maxsize=256)
def _parse_query(schema: ma.Schema, _query: bytes) -> dict[str, Any]:
    """The request's query: browsers ask the same few again and again."""
    parsed: dict[str, Any] = FlaskParser.parse(_parser, schema, request, location="query")
    return parsed


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_parser = StrictParser()


class ApiBlueprint(Blueprint):  # type: ignore[misc]
    """A blueprint whose views read their arguments strictly."""

    ARGUMENTS_PARSER = _parser

    def arguments(self, schema: ma.Schema | type[ma.Schema], **options: Any) -> Any:
        """Parse by one schema for all requests: to make one takes longer than to parse."""
        return super().arguments(schema() if isinstance(schema, type) else schema, **options)


class IdConverter(IntegerConverter):
    """An id in a path; one that no row can have is an address with nothing at it."""

    def to_python(self, value: str) -> int:
        number = int(value) if len(value) < 20 else 2**63
        if number >= 2**63:
            raise NoSuchAddress
        return number
