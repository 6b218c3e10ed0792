"""What may come in."""

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, validate

from gateway.fields import ChatField
from gateway.orders import PRIORITIES, SendOrder
from gateway.texts import is_storable

MAX_MESSAGE = 4096
MAX_ID = 2**63 - 1
MAX_WHATSAPP_ID = 255
MAX_READ = 500


def require_sendable(text: str) -> None:
    if not text.strip():
        raise ValidationError("must not be blank")
    if len(text) > MAX_MESSAGE:
        raise ValidationError(f"must have at most {MAX_MESSAGE} characters")
    if not is_storable(text):
        raise ValidationError("must not contain NUL or lone surrogates")


class EraseSchema(Schema):
    class Meta:
        unknown = EXCLUDE

    to = ChatField(required=True)


class SendSchema(EraseSchema):
    message = fields.String(required=True, validate=require_sendable)
    backend_message_id = fields.Integer(
        required=True, strict=True, validate=validate.Range(1, MAX_ID)
    )
    attempt = fields.Integer(strict=True, load_default=1, validate=validate.Range(1, MAX_ID))
    priority = fields.String(load_default="reply", validate=validate.OneOf(list(PRIORITIES)))

    @post_load
    def make_order(self, data: dict[str, object], **_: object) -> SendOrder:
        return SendOrder(**data)  # type: ignore[arg-type]


class ReadSchema(EraseSchema):
    whatsapp_ids = fields.List(
        fields.String(validate=validate.Length(1, MAX_WHATSAPP_ID)),
        required=True,
        validate=validate.Length(1, MAX_READ),
    )
