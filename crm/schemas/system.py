"""Health, figures and the gateway's state, as they go out."""

from marshmallow import fields, validate

from crm.schemas.base import Answer, Schema, StrictBoolean, Text


class MetricsSchema(Answer):
    """The API document's figures."""

    messages_sent_total = fields.Integer(metadata={"description": "Proved by a WhatsApp id."})
    messages_received_total = fields.Integer()
    active_customers = fields.Integer(metadata={"description": "With a message in 30 days."})
    average_response_time_ms = fields.Integer(metadata={"description": "Of the last 5 minutes."})
    uptime_seconds = fields.Integer()


class CheckSchema(Answer):
    """One thing that delivery needs."""

    state = fields.String(metadata={"example": "ok"})
    age_seconds = fields.Float(allow_none=True)


class HealthSchema(Schema):
    """Health; the checks are left out for strangers."""

    status = fields.String()
    database = fields.Nested(CheckSchema)
    redis = fields.Nested(CheckSchema)
    worker = fields.Nested(CheckSchema)
    gateway = fields.Nested(CheckSchema)


class GatewayStatusSchema(Schema):
    """The gateway's own word; more fields than these may come."""

    ready = fields.Boolean()
    need_qr = fields.Boolean()
    session_active = fields.Boolean()
    state = fields.String(metadata={"example": "ready"})
    driver = fields.String(metadata={"example": "simulator"})
    advice = fields.String(allow_none=True, metadata={"description": "What a person should do."})


class GatewayPushSchema(Schema):
    """The gateway's word that its state changed."""

    state = Text(required=True, validate=validate.Length(1, 32), metadata={"example": "ready"})
    ready = StrictBoolean(required=True)
    need_qr = StrictBoolean()
    session_active = StrictBoolean()
    driver = Text(validate=validate.Length(max=32))
    advice = Text(allow_none=True, validate=validate.Length(max=500))


class ApprovedTemplateSchema(Answer):
    """A message that WhatsApp has approved; `{{1}}` in `body` is its first place."""

    name = fields.String(metadata={"example": "hello"})
    language = fields.String(metadata={"example": "en_US"})
    category = fields.String(metadata={"example": "UTILITY"})
    body = fields.String(metadata={"example": "Hello {{1}}, your order has left."})
    params = fields.Integer()


class GatewayQrSchema(Schema):
    """The code to pair with."""

    qr = fields.String(allow_none=True)
    ready = fields.Boolean()
