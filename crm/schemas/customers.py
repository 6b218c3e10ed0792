"""Customers, in and out."""

from typing import Any
from urllib.parse import urlsplit

import marshmallow as ma
from marshmallow import fields, validate

from crm.schemas.addressed import Addressed
from crm.schemas.base import (
    TIME,
    Answer,
    Id,
    JsonObject,
    PageQuery,
    PossiblePhone,
    Schema,
    Text,
    not_blank,
)
from crm.schemas.media import MediaId, media_url

REMARK_LENGTH = 20_000
EXAMPLE_PHOTO = "https://pps.whatsapp.net/v/t61.jpg"


class PhotoUrl(Text):
    """A web address; `http://` is a matter of where the product runs, so of the view."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        url = super()._deserialize(value, *args, **kwargs)
        try:
            parts = urlsplit(url)
            usable = parts.scheme in {"https", "http"} and bool(parts.hostname)
        except ValueError:
            usable = False
        if not usable or not url.isprintable() or " " in url:
            raise ma.ValidationError("Must be an https:// address.")
        return url


class CustomerSummarySchema(Answer):
    """A row of the inbox's list."""

    id = Id()
    name = fields.String()
    phone = fields.String(metadata={"example": "60127878560"})
    lid = fields.String(allow_none=True)
    photo_url = fields.String(allow_none=True)
    status = fields.String(metadata={"example": "new"})
    last_message = fields.String(allow_none=True)
    last_timestamp = fields.String(allow_none=True, metadata=TIME)
    unread_count = fields.Integer()
    window_closes_at = fields.String(
        allow_none=True,
        metadata=TIME | {"description": "From then on WhatsApp takes only templates."},
    )


class CustomerSchema(Answer):
    """A customer with all that an agent may edit."""

    id = Id()
    name = fields.String()
    phone = fields.String(metadata={"example": "60127878560"})
    lid = fields.String(allow_none=True)
    status = fields.String(metadata={"example": "new"})
    remark = fields.String(allow_none=True)
    extra_fields = fields.Dict(keys=fields.String())
    photo_url = fields.String(allow_none=True)
    unread_count = fields.Integer()
    window_closes_at = fields.String(allow_none=True, metadata=TIME)
    created_at = fields.String(metadata=TIME)
    updated_at = fields.String(metadata=TIME)


class TotalsSchema(Answer):
    """What a customer's chat holds."""

    received = fields.Integer()
    sent = fields.Integer(metadata={"description": "Proved by a WhatsApp id."})
    failed = fields.Integer()
    first_message_at = fields.String(allow_none=True, metadata=TIME)


def name_field(**kwargs: Any) -> Text:
    return Text(validate=[validate.Length(1, 120), not_blank], **kwargs)


def status_field(**kwargs: Any) -> Text:
    return Text(
        validate=[validate.Length(1, 40), not_blank],
        metadata={"description": "A label: new, open, waiting, won, lost, or your own."},
        **kwargs,
    )


class CustomerChoice(Schema):
    """Which customers."""

    search = Text(
        validate=validate.Length(max=200),
        metadata={"description": "Part of the name, the phone or the last message."},
    )
    status = Text(validate=validate.Length(max=40))


class CustomerQuery(CustomerChoice, PageQuery):
    """Which customers, and which part of their list."""


class SummaryQuery(CustomerQuery):
    """Which customers, in which order, and which part of their list."""

    order = Text(
        validate=validate.OneOf(["newest", "unread"]),
        metadata={
            "description": "By newest activity, as without it, or the unread before all others."
        },
    )


class CreateCustomerSchema(Schema):
    """A new customer."""

    name = name_field(required=True)
    phone = PossiblePhone(required=True, metadata={"example": "60123456789"})
    status = status_field(load_default="new")


class UpdateCustomerSchema(Schema):
    """What an agent may change; fields left out stay as they are."""

    name = name_field()
    status = status_field()
    remark = Text(allow_none=True, validate=validate.Length(max=REMARK_LENGTH))
    extra_fields = JsonObject(metadata={"type": "object"})
    photo_url = PhotoUrl(allow_none=True, validate=validate.Length(max=2048))


class PhotoSchema(Addressed):
    """A customer's picture: its address, or the id of a file that the gateway keeps."""

    photo_url = PhotoUrl(validate=validate.Length(max=2048), metadata={"example": EXAMPLE_PHOTO})
    media_id = MediaId()

    @ma.post_load
    def show_media(self, data: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """One address, wherever the picture lies."""
        media_id = data.pop("media_id", None)
        if media_id is not None:
            data["photo_url"] = media_url(media_id)
        if "photo_url" not in data:
            raise ma.ValidationError("Missing data for required field.", "photo_url")
        return data


class MarkReadSchema(Schema):
    """How far an agent has read."""

    up_to = Id(
        load_default=None,
        allow_none=True,
        metadata={"description": "Id of the newest message shown; without it, the newest of all."},
    )
