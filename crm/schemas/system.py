"""Health, figures and the gateway's state, as they go out."""

from marshmallow import fields

from crm.schemas.base import Answer, Schema


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


class GatewayQrSchema(Schema):
    """The code to pair with."""

    qr = fields.String(allow_none=True)
    ready = fields.Boolean()
