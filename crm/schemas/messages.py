"""Messages, in and out, and what the gateway tells of them."""

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from crm.phones import parse_lid
from crm.queries.messages import STATUSES
from crm.schemas.base import (
    TIME,
    Answer,
    Id,
    Integer,
    Lid,
    Moment,
    PageQuery,
    Phone,
    Schema,
    StrictBoolean,
    Text,
    not_blank,
)

EXAMPLE_ID = "3EB0E8D9F6C7F7B929B411"
MAX_DELAY = 2**53
PLACEHOLDER = "[media]"
"""Shown for an inbound message without text."""


class MessageSchema(Answer):
    """A message of a chat, either way."""

    id = Id()
    customer_id = Id()
    direction = fields.String(validate=validate.OneOf(["inbound", "outbound"]))
    content = fields.String()
    timestamp = fields.String(metadata=TIME)
    ack = fields.Integer(metadata={"description": "1 sent, 2 delivered, 3 read, 4 played"})
    whatsapp_id = fields.String(allow_none=True, metadata={"example": EXAMPLE_ID})
    status = fields.String(
        metadata={"description": "The truth: " + ", ".join(STATUSES), "example": "queued"}
    )
    error = fields.String(allow_none=True, metadata={"description": "Why it failed, or waits."})
    attempts = fields.Integer()
    client_message_id = fields.String(allow_none=True)


class MessageQuery(PageQuery):
    """Which messages, whoever they are for."""

    status = Text(required=True, validate=validate.OneOf(STATUSES), metadata={"example": "failed"})


class SendSchema(Schema):
    """A message to a customer."""

    customer_id = Id(required=True)
    content = Text(
        required=True,
        validate=[validate.Length(1, 4096), not_blank],
        metadata={"example": "Hello, how are you?"},
    )
    client_message_id = Text(
        load_default=None,
        allow_none=True,
        validate=validate.Length(1, 255),
        metadata={"description": "The same as the `Idempotency-Key` header."},
    )


class RetrySchema(Schema):
    """Whether to send again what may have gone out."""

    confirm = StrictBoolean(load_default=False)


class RetriedSchema(Answer):
    """How many messages were queued again."""

    retried = fields.Integer()


class InboxSchema(Schema):
    """What a customer wrote. Needs a phone or a LID; `message_id` means `whatsapp_id`."""

    phone = Phone(load_default="", allow_none=True, metadata={"example": "60123456789"})
    lid = Lid(load_default=None, allow_none=True)
    content = Text(
        load_default="", allow_none=True, validate=validate.Length(max=65_536),
        metadata={"example": "Hello"},
    )  # fmt: skip
    name = Text(load_default=None, allow_none=True, metadata={"example": "Customer Name"})
    whatsapp_id = Text(load_default=None, allow_none=True, validate=validate.Length(1, 255))
    timestamp = Moment(load_default=None, allow_none=True, metadata={"type": ["string", "number"]})

    @ma.pre_load
    def read_other_spellings(self, data: Any, **kwargs: Any) -> Any:
        """`message_id` for `whatsapp_id`, and a phone that is a LID."""
        if not isinstance(data, Mapping):
            return data
        data = dict(data)
        if data.get("whatsapp_id") is None and data.get("message_id") is not None:
            data["whatsapp_id"] = data["message_id"]
        phone = data.get("phone")
        if isinstance(phone, str) and parse_lid(phone):
            data["lid"] = data.get("lid") or phone
            del data["phone"]
        if data.get("phone") == "":
            del data["phone"]
        return data

    @ma.validates_schema
    def has_a_sender(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        if not data.get("phone") and not data.get("lid"):
            raise ma.ValidationError("Missing data for required field.", "phone")

    @ma.validates_schema(pass_original=True)
    def says_something(self, data: Mapping[str, Any], original: Any, **kwargs: Any) -> None:
        if not (data.get("content") or "").strip() and not original.get("media_base64"):
            raise ma.ValidationError("Must not be blank without media.", "content")

    @ma.post_load
    def fill_in(self, data: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """Blank with media becomes a placeholder, a blank name none."""
        data["phone"] = data["phone"] or ""
        if not (data["content"] or "").strip():
            data["content"] = PLACEHOLDER
        data["name"] = (data["name"] or "").strip() or None
        return data


class AckSchema(Schema):
    """How far a message got."""

    message_id = Text(
        required=True, validate=validate.Length(1, 255), metadata={"example": EXAMPLE_ID}
    )
    ack = Integer(required=True, validate=validate.Range(1, 4), metadata={"example": 3})


class ParkedSchema(Answer):
    """An ack that waits for its map."""

    status = fields.String(metadata={"example": "parked"})


class MapSchema(Schema):
    """Which WhatsApp id a message got."""

    backend_id = Id(required=True)
    whatsapp_id = Text(
        required=True, validate=validate.Length(1, 255), metadata={"example": EXAMPLE_ID}
    )


class FailedSchema(Schema):
    """Why an accepted message could not be sent."""

    backend_id = Id(required=True)
    code = Text(load_default="gateway", allow_none=True, validate=validate.Length(max=64))
    reason = Text(load_default=None, allow_none=True, validate=validate.Length(max=2000))
    retryable = StrictBoolean(load_default=False, allow_none=True)
    attempt = Id(load_default=None, allow_none=True)


class SeenSchema(Schema):
    """A customer has read a message."""

    backend_message_id = Id(required=True)
    whatsapp_id = Text(
        required=True, validate=validate.Length(1, 255), metadata={"example": EXAMPLE_ID}
    )
    delay_ms = Integer(load_default=None, allow_none=True, metadata={"example": 5000})
    to = Text(load_default=None, allow_none=True, metadata={"example": "60123456789"})

    @ma.post_load
    def fit(self, data: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """`delay_ms` and `to` are kept as far as they fit, and never refused."""
        if data["delay_ms"] is not None:
            data["delay_ms"] = max(-MAX_DELAY, min(data["delay_ms"], MAX_DELAY))
        data["to"] = data["to"] and data["to"][:64]
        return data
