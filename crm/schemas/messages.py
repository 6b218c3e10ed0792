"""Messages, in and out, and what the gateway tells of them."""

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from crm.queries.messages import STATUSES
from crm.queries.pages import MAX_ID
from crm.schemas.accounts import ActorSchema
from crm.schemas.addressed import Addressed
from crm.schemas.base import (
    TIME,
    Answer,
    AnyMoment,
    ErrorSchema,
    Id,
    Integer,
    Moment,
    PageQuery,
    Schema,
    StrictBoolean,
    Text,
    not_blank,
)
from crm.schemas.media import MEDIA_STATES, MediaOfGateway

EXAMPLE_ID = "3EB0E8D9F6C7F7B929B411"
MAX_DELAY = 2**53
PLACEHOLDER = "[media]"
"""Shown for an inbound message without text."""


class MediaSchema(Answer):
    """A file that came with a message."""

    kind = fields.String(metadata={"example": "image"})
    mime = fields.String(metadata={"example": "image/jpeg"})
    size = fields.Integer(allow_none=True, metadata={"description": "Bytes, where known."})
    name = fields.String(allow_none=True)
    state = fields.String(validate=validate.OneOf(MEDIA_STATES))
    url = fields.String(metadata={"example": "/media/iQ8rzJ3v1mV0bq7w"})


class TemplateSchema(Schema):
    """A message that WhatsApp has approved, and what fills its places."""

    name = Text(
        required=True,
        validate=validate.Regexp(r"[a-z0-9_]{1,512}\Z", error="Must be of a-z, 0-9 and _."),
        metadata={"example": "hello"},
    )
    language = Text(
        required=True,
        validate=validate.Regexp(r"[A-Za-z0-9_]{2,16}\Z", error="Must be like en_US."),
        metadata={"example": "en_US"},
    )
    params = fields.List(
        Text(validate=validate.Length(1, 1024)),
        load_default=list,
        validate=validate.Length(max=64),
    )


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
    media = fields.Nested(MediaSchema, allow_none=True)
    template = fields.Nested(TemplateSchema, allow_none=True)
    author = fields.Nested(
        ActorSchema,
        allow_none=True,
        metadata={"description": "Who wrote an outbound message; null of an inbound one."},
    )
    client_message_id = fields.String(allow_none=True)


class MessageQuery(PageQuery):
    """Which messages, whoever they are for."""

    status = Text(required=True, validate=validate.OneOf(STATUSES), metadata={"example": "failed"})


class SendSchema(Schema):
    """A message to a customer."""

    customer_id = Id(required=True)
    content = Text(
        validate=[validate.Length(1, 4096), not_blank],
        metadata={
            "example": "Hello, how are you?",
            "description": "Required; with a template, the text that the chat shows for it.",
        },
    )
    template = fields.Nested(TemplateSchema, load_default=None, allow_none=True)
    priority = Text(
        load_default="reply",
        validate=validate.OneOf(["reply", "bulk"]),
        metadata={"description": "Replies overtake the bulk messages of other customers."},
    )
    client_message_id = Text(
        load_default=None,
        allow_none=True,
        validate=validate.Length(1, 255),
        metadata={"description": "The same as the `Idempotency-Key` header."},
    )
    last_seen_id = Integer(
        load_default=None,
        allow_none=True,
        validate=validate.Range(0, MAX_ID),
        metadata={
            "description": "Id of the chat's newest message that the writer had seen, 0 for none: "
            "where there is a newer one, either way and not cancelled, nothing is sent. No part "
            "of what an idempotency key stands for.",
        },
    )

    @ma.validates_schema(skip_on_field_errors=False, pass_original=True)
    def says_something(self, data: Mapping[str, Any], original: Any, **kwargs: Any) -> None:
        if not isinstance(original, Mapping):
            return
        if "content" not in original and not original.get("template"):
            raise ma.ValidationError("Missing data for required field.", "content")

    @ma.post_load
    def show_template(self, data: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """What the chat shows for a template whose text was not given."""
        template = data["template"]
        if "content" not in data:
            filled = ", ".join(template["params"])
            data["content"] = f"{template['name']}: {filled}" if filled else template["name"]
            data["content"] = data["content"][:4096]
        return data


class SendConflictSchema(ErrorSchema):
    """Why nothing was stored."""

    newer = fields.List(
        fields.Nested(MessageSchema),
        metadata={
            "description": "With `last_seen_id`: the newest messages after it, oldest first, at "
            "most 20. The last one's id is what to send as `last_seen_id` once they were seen."
        },
    )
    newer_count = fields.Integer(metadata={"description": "How many there are in all."})


class RetrySchema(Schema):
    """Whether to send again what may have gone out."""

    confirm = StrictBoolean(load_default=False)


class RetriedSchema(Answer):
    """How many messages were queued again."""

    retried = fields.Integer()


class InboxSchema(Addressed):
    """What a customer wrote. Needs a phone or a LID; `message_id` means `whatsapp_id`."""

    content = Text(
        load_default="", allow_none=True, validate=validate.Length(max=65_536),
        metadata={"example": "Hello"},
    )  # fmt: skip
    name = Text(load_default=None, allow_none=True, metadata={"example": "Customer Name"})
    whatsapp_id = Text(load_default=None, allow_none=True, validate=validate.Length(1, 255))
    timestamp = Moment(load_default=None, allow_none=True, metadata={"type": ["string", "number"]})
    media = MediaOfGateway(load_default=None, allow_none=True)
    window_closes_at = AnyMoment(
        load_default=None, allow_none=True, metadata={"type": ["string", "number"]}
    )

    @ma.pre_load
    def read_message_id(self, data: Any, **kwargs: Any) -> Any:
        """`message_id` for `whatsapp_id`."""
        if not isinstance(data, Mapping) or data.get("whatsapp_id") is not None:
            return data
        named = data.get("message_id")
        return data if named is None else {**data, "whatsapp_id": named}

    @ma.validates_schema(pass_original=True)
    def says_something(self, data: Mapping[str, Any], original: Any, **kwargs: Any) -> None:
        if not (data.get("content") or "").strip() and not _has_media(original):
            raise ma.ValidationError("Must not be blank without media.", "content")

    @ma.post_load
    def fill_in(self, data: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """Blank with media becomes a placeholder, a blank name none."""
        if not (data["content"] or "").strip():
            data["content"] = PLACEHOLDER
        data["name"] = (data["name"] or "").strip() or None
        return data


def _has_media(original: Mapping[str, Any]) -> bool:
    return bool(original.get("media_base64") or original.get("media"))


class MediaChangeSchema(Addressed):
    """The gateway has stored a message's file, or gave up on it. Needs a phone or a LID."""

    whatsapp_id = Text(required=True, validate=validate.Length(1, 255))
    media = MediaOfGateway(required=True)

    @ma.validates_schema
    def require_media(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        """Here, unlike in an inbox call, media that cannot be read is an error."""
        if data["media"] is None:
            raise ma.ValidationError("Must have id, kind, mime and state.", "media")


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
    whatsapp_id = Text(
        load_default=None,
        allow_none=True,
        validate=validate.Length(1, 255),
        metadata={"description": "Where WhatsApp took it and then gave up: the id it had."},
    )


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
