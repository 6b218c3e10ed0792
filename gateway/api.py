"""The gateway's endpoints."""

from dataclasses import asdict
from io import BytesIO

import segno
import structlog
from flask import Blueprint, Response, g, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from gateway.bodies import load_body
from gateway.downloads import answer_file
from gateway.orders import SendOrder
from gateway.schemas import MAX_ID, EraseSchema, ReadSchema, SendSchema
from gateway.service import current_gateway

log = structlog.get_logger(__name__)

JSON, SVG = "application/json", "image/svg+xml"
api = Blueprint("api", __name__)
internal = Blueprint("internal", __name__)


@api.get("/healthz")
def show_health() -> ResponseReturnValue:
    """The process answers."""
    return jsonify(status="ok")


@internal.get("/status")
def show_status() -> ResponseReturnValue:
    """Connection, queues and dead letters, without texts and phones."""
    return jsonify(current_gateway().status())


@internal.get("/qr")
def show_qr() -> ResponseReturnValue:
    """The code to scan, null where there is none; a picture of it for `Accept: image/svg+xml`."""
    gateway = current_gateway()
    code = gateway.driver.qr()
    if request.accept_mimetypes.best_match([JSON, SVG], default=JSON) == SVG:
        return _draw(code)
    answer = jsonify(qr=code, ready=gateway.health.is_ready())
    answer.headers["Vary"] = "Accept"
    return answer


def _draw(code: str | None) -> Response:
    if code is None:
        raise NotFound("There is no code to scan now; /status tells what to do.")
    # Whoever photographs it can read along: no cache keeps it.
    headers = {"Cache-Control": "no-store", "Vary": "Accept"}
    drawn = BytesIO()
    segno.make_qr(code).save(drawn, kind="svg", scale=6, border=4, light="white")
    return Response(drawn.getvalue(), mimetype=SVG, headers=headers)


@internal.post("/send")
def accept_send() -> ResponseReturnValue:
    """Store an order to send; it goes out after the answer. Repeats send nothing."""
    order: SendOrder = load_body(SendSchema())
    current_gateway().accept(order, request_id=g.request_id)
    return jsonify(status="accepted", message="Message queued for sending"), 202


@internal.get(f"/messages/<int(max={MAX_ID}):backend_message_id>")
def show_send(backend_message_id: int) -> ResponseReturnValue:
    """What became of a message: its newest attempt, or the one that was sent."""
    send = current_gateway().find_send(backend_message_id)
    fields = ("backend_message_id", "attempt", "state", "whatsapp_id", "code", "reason")
    return jsonify({field: getattr(send, field) for field in fields})


@internal.post("/read")
def mark_read() -> ResponseReturnValue:
    """An agent has read these messages; the customer learns it only with READ_RECEIPTS."""
    body = load_body(ReadSchema())
    told = current_gateway().mark_read(body["to"], body["whatsapp_ids"])
    return jsonify(receipt_sent=told)


@internal.get("/media/<media_id>")
def show_media(media_id: str) -> ResponseReturnValue:
    """A customer's file. 425 while it is being fetched, 410 where it will never be here."""
    return answer_file(*current_gateway().media.find_stored(media_id))


@internal.get("/templates")
def list_templates() -> ResponseReturnValue:
    """The templates that may be sent now."""
    return jsonify(
        templates=[asdict(template) for template in current_gateway().driver.templates()]
    )


@internal.post("/erase")
def erase_chat() -> ResponseReturnValue:
    """Forget a customer: texts, queued sends, callbacks."""
    body = load_body(EraseSchema())
    erased = current_gateway().erase(body["to"])
    log.info("chat_erased", rows=erased)
    return jsonify(erased=erased)
