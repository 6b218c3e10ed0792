"""The base schema and the fields that every resource uses."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import marshmallow as ma
import orjson

from crm import clock
from crm.phones import is_possible, parse_lid, strip_phone

TIME = {"format": "date-time-utc", "example": "2025-09-23T14:05:43.040413"}
NO_ROW = 0
MAX_EXTRA_FIELDS = 64 * 1024
LEVELS_AROUND = 16
PLAIN_DIGITS = re.compile(r"^\d{1,18}$", re.ASCII)
ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""In a JSON document; a backslash that is itself escaped begins no escape."""


class Schema(ma.Schema):
    """Unknown fields are ignored: gateways send more than is read here."""

    class Meta:
        unknown = ma.EXCLUDE


class Answer(Schema):
    """What goes out: every field is always there, null where nothing is known."""

    def on_bind_field(self, field_name: str, field_obj: ma.fields.Field[Any]) -> None:
        """Say so in the OpenAPI document."""
        field_obj.required = True


class Text(ma.fields.String):
    """A string that every database can store: no NUL, no lone surrogate."""

    default_error_messages = {  # noqa: RUF012
        "nul": "Must not contain the NUL character.",
        "surrogate": "Must not contain a lone surrogate.",
    }

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        if "\0" in value:
            raise self.make_error("nul")
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise self.make_error("surrogate") from error
        return value


class Integer(ma.fields.Integer):
    """A JSON integer: neither a string, nor a fraction, nor a truth value."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if type(value) is not int:
            raise self.make_error("invalid")
        return value


class QueryInteger(ma.fields.Integer):
    """An integer in an address, in plain digits."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if not (isinstance(value, str) and PLAIN_DIGITS.match(value)):
            raise self.make_error("invalid")
        return int(value)


class StrictBoolean(ma.fields.Boolean):
    """JSON's true or false, nothing that merely looks like it."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Id(Integer):
    """Any integer; one that no row can have is not invalid, it is the id of nothing."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("metadata", {"example": 1})
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        number = super()._deserialize(value, *args, **kwargs)
        return number if 0 < number < 2**63 else NO_ROW


class Phone(Text):
    """A phone as people write it, turned into its 5 to 15 digits."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        phone = strip_phone(super()._deserialize(value, *args, **kwargs))
        if phone is None:
            raise ma.ValidationError("Must be a phone: 5 to 15 digits, country code first.")
        return phone


class PossiblePhone(Phone):
    """A phone that some country's number plan allows."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        phone = super()._deserialize(value, *args, **kwargs)
        if not is_possible(phone):
            raise ma.ValidationError("No phone in the world looks like this; check country code.")
        return phone


class Lid(Text):
    """A WhatsApp LID, with or without its `@lid`."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, *args, **kwargs)
        lid = parse_lid(text if text.casefold().endswith("@lid") else f"{text}@lid")
        if lid is None:
            raise ma.ValidationError("Must be a LID: 1 to 20 digits.")
        return lid


class AnyMoment(ma.fields.Field[datetime]):
    """ISO 8601 with or without offset (none: UTC), or epoch seconds."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> datetime:
        moment = _parse_moment(value)
        if moment is None:
            raise ma.ValidationError("Must be a time in ISO 8601, or seconds since 1970.")
        return moment


class Moment(AnyMoment):
    """When something happened: the future becomes now."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> datetime:
        return min(super()._deserialize(value, *args, **kwargs), clock.now())


def _parse_moment(value: Any) -> datetime | None:
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(min(value, 4e9), UTC).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError):
        pass
    return None


class JsonObject(ma.fields.Field[dict[str, Any]]):
    """A JSON object of at most 64 KiB that any JSON reader can read back."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise ma.ValidationError("Must be an object.")
        try:
            document = orjson.dumps(value)
            orjson.dumps(_within(value))  # events and answers hold it some levels deep
            json.dumps(value, allow_nan=False)  # what orjson would turn into null
        except (TypeError, ValueError, RecursionError) as error:
            raise ma.ValidationError("Holds a value that cannot be kept.") from error
        if len(document) > MAX_EXTRA_FIELDS:
            raise ma.ValidationError("Must be at most 64 KiB.")
        if ESCAPED_NUL.search(document):
            raise ma.ValidationError("Must not contain the NUL character.")
        return dict(value)


def _within(value: Any) -> Any:
    """As deep in other objects as anything of ours will ever be."""
    for _ in range(LEVELS_AROUND):
        value = [value]
    return value


def not_blank(value: str) -> None:
    """A validator: more than white space."""
    if not value.strip():
        raise ma.ValidationError("Must not be blank.")


class ErrorSchema(Schema):
    """The body of every error."""

    detail = ma.fields.String(required=True, metadata={"description": "One readable sentence."})
    errors = ma.fields.Dict(
        keys=ma.fields.String(),
        metadata={"description": "Of a 422: each bad field with what is wrong with it."},
    )


class PageQuery(Schema):
    """Which part of a list."""

    limit = QueryInteger(
        validate=ma.validate.Range(1, 500),
        metadata={"description": "Rows of a page. Without it the whole list comes."},
    )
    cursor = Text(
        validate=ma.validate.Length(1, 500),
        metadata={"description": 'From the `Link: …; rel="next"` header of the page before.'},
    )

    @ma.validates_schema
    def cursor_needs_limit(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        if "cursor" in data and "limit" not in data:
            raise ma.ValidationError("A cursor needs a limit.", "limit")
