"""What may come in."""

from marshmallow import (
    EXCLUDE,
    Schema,
    ValidationError,
    fields,
    post_load,
    validate,
    validates_schema,
)

from gateway.drivers.events import TemplateUse
from gateway.fields import ChatField
from gateway.orders import PRIORITIES, SendOrder
from gateway.texts import is_storable

MAX_MESSAGE = 4096
MAX_ID = 2**63 - 1
MAX_WHATSAPP_ID = 255
MAX_READ = 500
MAX_PARAM = 1024
MAX_PARAMS = 100


def require_sendable(text: str) -> None:
    if len(text) > MAX_MESSAGE:
        raise ValidationError(f"must have at most {MAX_MESSAGE} characters")
    require_storable(text)


def require_storable(text: str) -> None:
    if not is_storable(text):
        raise ValidationError("must not contain NUL or lone surrogates")


class EraseSchema(Schema):
    class Meta:
        unknown = EXCLUDE

    to = ChatField(required=True)


class TemplateSchema(Schema):
    class Meta:
        unknown = EXCLUDE

    name = fields.String(required=True, validate=validate.Regexp(r"[a-z0-9_]{1,512}\Z"))
    language = fields.String(required=True, validate=validate.Regexp(r"[A-Za-z0-9_]{2,16}\Z"))
    params = fields.List(
        fields.String(validate=validate.And(validate.Length(1, MAX_PARAM), require_storable)),
        load_default=list,
        validate=validate.Length(max=MAX_PARAMS),
    )

    @post_load
    def make_template(self, data: dict[str, object], **_: object) -> TemplateUse:
        params = tuple(data.pop("params"))  # type: ignore[arg-type,var-annotated]
        return TemplateUse(**data, params=params)  # type: ignore[arg-type]


class SendSchema(EraseSchema):
    message = fields.String(load_default="", validate=require_sendable)
    template = fields.Nested(TemplateSchema, load_default=None, allow_none=True)
    backend_message_id = fields.Integer(
        required=True, strict=True, validate=validate.Range(1, MAX_ID)
    )
    attempt = fields.Integer(strict=True, load_default=1, validate=validate.Range(1, MAX_ID))
    priority = fields.String(load_default="reply", validate=validate.OneOf(list(PRIORITIES)))

    @validates_schema
    def require_something(self, data: dict[str, object], **_: object) -> None:
        """A template speaks for itself; the text beside it may be empty."""
        if data["template"] is None and not str(data["message"]).strip():
            raise ValidationError("must not be blank", "message")

    @post_load
    def make_order(self, data: dict[str, object], **_: object) -> SendOrder:
        return SendOrder(**data)  # type: ignore[arg-type]


class ReadSchema(EraseSchema):
    whatsapp_ids = fields.List(
        fields.String(validate=validate.Length(1, MAX_WHATSAPP_ID)),
        required=True,
        validate=validate.Length(1, MAX_READ),
    )
