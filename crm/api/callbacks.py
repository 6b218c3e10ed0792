"""What the gateway tells: inbound messages, maps, acks, failures and reads (internal)."""

from typing import Any

from flask import Response, g

from crm import wire
from crm.api.access import internal, internal_inbox
from crm.api.answers import json_answer
from crm.api.parsing import ApiBlueprint
from crm.schemas.messages import (
    AckSchema,
    FailedSchema,
    InboxSchema,
    MapSchema,
    MediaChangeSchema,
    MessageSchema,
    ParkedSchema,
    SeenSchema,
)
from crm.schemas.system import GatewayPushSchema, GatewayStatusSchema
from crm.services import gateway, inbox, outcomes, receipts
from crm.services.inbox import Inbound
from crm.services.outcomes import Failure

blp = ApiBlueprint("callbacks", __name__, description=__doc__)

CONFLICT = "The message or the WhatsApp id is already paired otherwise."


@blp.route("/messages/inbox", methods=["POST"])
@internal_inbox
@blp.arguments(InboxSchema)
@blp.response(201, MessageSchema)
@blp.alt_response(
    200, schema=MessageSchema, description="A repeat: the first row, nothing changed."
)
def receive_message(data: dict[str, Any]) -> Response:
    """Store what a customer wrote, exactly once; an unknown phone becomes a customer."""
    message, is_new = inbox.receive_message(Inbound(**data), request_id=g.request_id)
    return json_answer(wire.message(message), 201 if is_new else 200)


@blp.route("/messages/ack", methods=["POST"])
@internal
@blp.arguments(AckSchema)
@blp.response(200, MessageSchema)
@blp.alt_response(202, schema=ParkedSchema, description="Unknown yet: kept 7 days for its map.")
def record_ack(data: dict[str, Any]) -> Response:
    """Raise a message's ack; a lower or equal one changes nothing."""
    message = receipts.record_ack(data["message_id"], data["ack"])
    if message is None:
        return json_answer({"status": "parked"}, 202)
    return json_answer(wire.message(message))


@blp.route("/messages/map", methods=["POST"])
@internal
@blp.arguments(MapSchema)
@blp.response(200, MessageSchema)
@blp.alt_response(404, description="There is no such message.")
@blp.alt_response(409, description=CONFLICT)
def map_message(data: dict[str, Any]) -> Response:
    """Pair a message with its WhatsApp id: it did go out."""
    return json_answer(wire.message(receipts.map_message(data["backend_id"], data["whatsapp_id"])))


@blp.route("/messages/failed", methods=["POST"])
@internal
@blp.arguments(FailedSchema)
@blp.response(200, MessageSchema)
@blp.alt_response(404, description="There is no such message.")
def report_failed(data: dict[str, Any]) -> Response:
    """The gateway could not send what it had accepted."""
    failure = Failure(
        code=data["code"] or "gateway",
        reason=data["reason"],
        attempt=data["attempt"],
        whatsapp_id=data["whatsapp_id"],
    )
    return json_answer(wire.message(outcomes.report_failed(data["backend_id"], failure)))


@blp.route("/messages/media", methods=["POST"])
@internal
@blp.arguments(MediaChangeSchema)
@blp.response(200, MessageSchema)
@blp.alt_response(404, description="There is no such customer or message.")
def change_media(data: dict[str, Any]) -> Response:
    """The file of an inbound message is there now, or never will be."""
    return json_answer(wire.message(inbox.change_media(**data)))


@blp.route("/webhooks/whatsapp/status", methods=["POST"])
@internal
@blp.arguments(GatewayPushSchema)
@blp.response(200, GatewayStatusSchema)
def note_gateway_status(data: dict[str, Any]) -> Response:
    """The gateway's state changed: told to the browsers at once."""
    return json_answer(gateway.note_gateway_status(data))


@blp.route("/webhooks/whatsapp/seen", methods=["POST"])
@internal
@blp.arguments(SeenSchema)
@blp.response(200, MessageSchema)
@blp.alt_response(404, description="There is no such message.")
@blp.alt_response(409, description=CONFLICT)
def record_seen(data: dict[str, Any]) -> Response:
    """The customer has read it: map where needed, then ack 3."""
    message = receipts.record_seen(
        data["backend_message_id"], data["whatsapp_id"], delay_ms=data["delay_ms"], to=data["to"]
    )
    return json_answer(wire.message(message))
