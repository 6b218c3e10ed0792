"""/messages: chats, sending, and what agents decide about a message."""

from typing import Any

from flask import Response, g, request

from crm import wire
from crm.api.access import agent, sending
from crm.api.answers import json_answer, list_answer
from crm.api.callers import current_actor
from crm.api.parsing import ApiBlueprint
from crm.errors import InvalidInputError
from crm.models import Priority
from crm.queries import messages as queries
from crm.schemas.base import PageQuery
from crm.schemas.customers import CustomerSchema, MarkReadSchema
from crm.schemas.messages import (
    MessageQuery,
    MessageSchema,
    RetriedSchema,
    RetrySchema,
    SendConflictSchema,
    SendSchema,
)
from crm.services import inbox, retries
from crm.services import messages as services
from crm.services.messages import Draft

blp = ApiBlueprint("messages", __name__, url_prefix="/messages", description=__doc__)

KEY_HEADER = {
    "in": "header",
    "name": "Idempotency-Key",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "Made once per message by the client: a repeat sends nothing twice.",
}


@blp.route("", methods=["GET"])
@agent
@blp.arguments(MessageQuery, location="query")
@blp.response(200, MessageSchema(many=True))
def list_by_state(query: dict[str, Any]) -> Response:
    """Outbound messages in one state, newest first: `?status=failed` lists the dead letters."""
    status = query["status"]
    return list_answer(
        query,
        whole=lambda: queries.all_in_state(status),
        page=lambda limit, cursor: queries.page_in_state(status, limit=limit, cursor=cursor),
    )


@blp.route("/<id:customer_id>", methods=["GET"])
@agent
@blp.arguments(PageQuery, location="query")
@blp.response(200, MessageSchema(many=True))
@blp.alt_response(404, description="There is no such customer.")
def list_chat(query: dict[str, Any], customer_id: int) -> Response:
    """A customer's messages, oldest first; `limit` gives the newest page, `cursor` older ones."""
    return list_answer(
        query,
        whole=lambda: queries.whole_chat(customer_id),
        page=lambda limit, cursor: queries.page_of_chat(customer_id, limit=limit, cursor=cursor),
    )


@blp.route("/send", methods=["POST"])
@sending
@blp.doc(parameters=[KEY_HEADER])
@blp.arguments(SendSchema)
@blp.response(201, MessageSchema)
@blp.alt_response(
    200, schema=MessageSchema, description="This key was sent before: the same message."
)
@blp.alt_response(404, description="There is no such customer.")
@blp.alt_response(
    409,
    schema=SendConflictSchema,
    description="The key is another message's, the window is closed, or the chat has newer "
    "messages than `last_seen_id`: then they come along, and the key may be used again.",
)
def send_message(data: dict[str, Any]) -> Response:
    """Store a message and send it as soon as the gateway takes it.

    `ack` is 1 from the start; `status` tells the truth. With `last_seen_id` nothing is stored
    where somebody wrote after that message. A repeated key is looked for first.
    """
    draft = Draft(
        customer_id=data["customer_id"],
        content=data["content"],
        template=data["template"],
        priority=Priority[data["priority"].upper()],
        author=current_actor(),
    )
    message, is_new = services.send_message(
        draft,
        idempotency_key=_idempotency_key(data["client_message_id"]),
        request_id=g.request_id,
        last_seen_id=data["last_seen_id"],
    )
    return json_answer(wire.message(message), 201 if is_new else 200)


@blp.route("/retry_failed", methods=["POST"])
@sending
@blp.response(200, RetriedSchema)
def retry_failed() -> Response:
    """Send every failed message again."""
    return json_answer({"retried": retries.retry_failed()})


@blp.route("/<id:message_id>/retry", methods=["POST"])
@sending
@blp.arguments(RetrySchema)
@blp.response(200, MessageSchema)
@blp.alt_response(404, description="There is no such message.")
@blp.alt_response(409, description="Its state does not allow it, or it wants `confirm`.")
def retry_message(data: dict[str, Any], message_id: int) -> Response:
    """Send a failed message again; an unknown one only with `confirm`, as it may arrive twice."""
    return json_answer(wire.message(retries.retry_message(message_id, confirm=data["confirm"])))


@blp.route("/<id:message_id>/cancel", methods=["POST"])
@sending
@blp.response(200, MessageSchema)
@blp.alt_response(404, description="There is no such message.")
@blp.alt_response(409, description="It is on its way already.")
def cancel_message(message_id: int) -> Response:
    """Take back a message that still waits."""
    return json_answer(wire.message(retries.cancel_message(message_id)))


@blp.route("/<id:customer_id>/mark_read", methods=["POST"])
@agent
@blp.arguments(MarkReadSchema)
@blp.response(200, CustomerSchema)
@blp.alt_response(404, description="There is no such customer, or message in its chat.")
def mark_read(data: dict[str, Any], customer_id: int) -> Response:
    """Mark a chat read up to the newest message shown."""
    return json_answer(wire.customer(inbox.mark_read(customer_id, up_to=data["up_to"])))


def _idempotency_key(client_message_id: str | None) -> str | None:
    """The header's key, else the body's; both at once must agree."""
    header = request.headers.get("Idempotency-Key")
    field = "Idempotency-Key"
    if header is not None and client_message_id is not None and header != client_message_id:
        raise InvalidInputError("It differs from client_message_id; send one.", field=field)
    key = header if header is not None else client_message_id
    if key is not None and not (1 <= len(key) <= 255 and key.isprintable()):
        raise InvalidInputError("Must be 1 to 255 printable characters.", field=field)
    return key
