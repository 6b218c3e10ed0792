"""What the backend is told: one function per callback of the contract."""

from uuid import uuid4

from gateway.chats import address_fields
from gateway.clock import to_iso
from gateway.drivers.events import Failure, Inbound, Picture, Receipt
from gateway.store.callbacks import Callback
from gateway.store.sends import Send
from gateway.texts import make_storable


def new_request_id() -> str:
    return uuid4().hex


def map_notice(send: Send, whatsapp_id: str) -> Callback:
    """`POST /messages/map`: it went out, and this is WhatsApp's id."""
    return Callback(
        chat=send.chat,
        path="/messages/map",
        body={"backend_id": send.backend_message_id, "whatsapp_id": whatsapp_id},
        request_id=send.request_id,
    )


def failed_notice(send: Send, *, code: str, reason: str, retryable: bool) -> Callback:
    """`POST /messages/failed`: an accepted message could not be sent."""
    body = {
        "backend_id": send.backend_message_id,
        "attempt": send.attempt,
        "code": code,
        "reason": reason,
        "retryable": retryable,
    }
    return _failed(send, body)


def given_up_notice(send: Send, event: Failure) -> Callback:
    """`POST /messages/failed` with WhatsApp's id: it took the message and then gave up on it."""
    body = {
        "backend_id": send.backend_message_id,
        "attempt": send.attempt,
        "code": event.code,
        "reason": event.reason,
        "retryable": event.retryable,
        "whatsapp_id": event.whatsapp_id,
    }
    return _failed(send, body)


def _failed(send: Send, body: dict[str, object]) -> Callback:
    return Callback(chat=send.chat, path="/messages/failed", body=body, request_id=send.request_id)


def inbox_notice(event: Inbound) -> Callback:
    """`POST /messages/inbox`: a customer wrote."""
    body: dict[str, object] = {
        **address_fields(event.chat),
        "content": make_storable(event.text),
        "whatsapp_id": event.whatsapp_id,
        "timestamp": to_iso(event.at),
    }
    if event.lid and "phone" in body:
        body["lid"] = event.lid
    if event.name:
        body["name"] = make_storable(event.name)
    if event.window_closes_at is not None:
        body["window_closes_at"] = to_iso(event.window_closes_at)
    return Callback(chat=event.chat, path="/messages/inbox", body=body, request_id=new_request_id())


def photo_notice(event: Picture) -> Callback:
    """`POST /customers/photo`: a customer has a new picture."""
    return Callback(
        chat=event.chat,
        path="/customers/photo",
        body={**address_fields(event.chat), "photo_url": event.url},
        request_id=new_request_id(),
    )


def ack_notice(event: Receipt, *, request_id: str) -> Callback:
    """`POST /messages/ack`: WhatsApp's receipt."""
    return Callback(
        chat=event.chat,
        path="/messages/ack",
        body={"message_id": event.whatsapp_id, "ack": event.ack},
        request_id=request_id,
    )


def seen_notice(event: Receipt, send: Send) -> Callback:
    """`POST /webhooks/whatsapp/seen`: the customer has truly read it."""
    sent_at = send.settled_at or event.at
    return Callback(
        chat=event.chat,
        path="/webhooks/whatsapp/seen",
        body={
            "backend_message_id": send.backend_message_id,
            "whatsapp_id": event.whatsapp_id,
            "delay_ms": max(0, round((event.at - sent_at) * 1000)),
            "to": event.chat,
        },
        request_id=send.request_id,
    )
