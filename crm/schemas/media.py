"""A file that came with a message, as the gateway describes it."""

import re
from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from crm.schemas.base import Schema, Text

MEDIA_STATES = ("pending", "stored", "failed")
MEDIA_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


class MediaId(Text):
    """Unguessable, chosen by the gateway, and harmless in a path."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, *args, **kwargs)
        if not MEDIA_ID.fullmatch(text):
            raise ma.ValidationError("Must be 8 to 64 letters, digits, - and _.")
        return text


def media_url(media_id: str) -> str:
    """Where agents get the file; relative to the API's own address."""
    return f"/media/{media_id}"


class _MediaSchema(Schema):
    id = MediaId(required=True)
    kind = Text(required=True, validate=validate.Length(1, 32))
    mime = Text(required=True, validate=validate.Length(1, 128))
    size = fields.Integer(strict=True, load_default=None, allow_none=True)
    name = Text(load_default=None, allow_none=True)
    state = Text(required=True, validate=validate.OneOf(MEDIA_STATES))


class MediaOfGateway(fields.Field[dict[str, Any] | None]):
    """What an agent's page needs of it, else None: other gateways mean other things by `media`."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        if not isinstance(value, Mapping):
            return None
        try:
            told = _MediaSchema().load(value)
        except ma.ValidationError:
            return None
        name = (told["name"] or "")[:255] or None
        shown = {"name": name, "url": media_url(told["id"])}
        return {key: told[key] for key in ("kind", "mime", "size", "state")} | shown
