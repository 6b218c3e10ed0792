"""What the backend is told: one function per callback of the contract."""

from uuid import uuid4

from gateway.chats import address_fields
from gateway.clock import to_iso
from gateway.drivers.base import DriverState
from gateway.drivers.events import Failure, Inbound, Media, Picture, Receipt
from gateway.store.callbacks import NO_CHAT, Callback
from gateway.store.media import MediaFile
from gateway.store.sends import Send
from gateway.texts import make_storable

STATUS_PATH = "/webhooks/whatsapp/status"
FAILED_PATH = "/messages/failed"
MEDIA_PATH = "/messages/media"
PHOTO_PATH = "/customers/photo"
EMPTY = "[empty message]"


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
    return Callback(chat=send.chat, path=FAILED_PATH, body=body, request_id=send.request_id)


def inbox_notice(event: Inbound, media: MediaFile | None = None) -> Callback:
    """`POST /messages/inbox`: a customer wrote."""
    body: dict[str, object] = {
        **address_fields(event.chat),
        "content": make_storable(event.text if event.text.strip() else _placeholder(event.media)),
        "whatsapp_id": event.whatsapp_id,
        "timestamp": to_iso(event.at),
    }
    if event.lid and "phone" in body:
        body["lid"] = event.lid
    if event.name:
        body["name"] = make_storable(event.name)
    if media is not None:
        body["media"] = media_fields(media)
    if event.window_closes_at is not None:
        body["window_closes_at"] = to_iso(event.window_closes_at)
    return Callback(chat=event.chat, path="/messages/inbox", body=body, request_id=new_request_id())


def _placeholder(media: Media | None) -> str:
    """What stands for a text without a sign in it: the backend takes no blank one."""
    if media is None:
        return EMPTY
    return f"[{media.kind}: {media.file_name}]" if media.file_name else f"[{media.kind}]"


def photo_notice(event: Picture) -> Callback:
    """`POST /customers/photo`: a customer has a new picture."""
    return Callback(
        chat=event.chat,
        path=PHOTO_PATH,
        body={**address_fields(event.chat), "photo_url": event.url},
        request_id=new_request_id(),
    )


def media_notice(file: MediaFile) -> Callback:
    """`POST /messages/media`: the file of a message is here, or will never be."""
    return Callback(
        chat=file.chat,
        path=MEDIA_PATH,
        body={
            **address_fields(file.chat),
            "whatsapp_id": file.whatsapp_id,
            "media": media_fields(file),
        },
        request_id=new_request_id(),
    )


def media_fields(file: MediaFile) -> dict[str, object]:
    """A file as the backend knows it; `GET /media/{id}` gives it once it is stored."""
    fields: dict[str, object] = {
        "id": file.id,
        "kind": file.kind,
        "mime": file.mime,
        "size": file.size,
        "name": file.name,
        "state": file.state,
    }
    return fields if file.reason is None else fields | {"reason": file.reason}


def fetched_picture_notice(file: MediaFile) -> Callback:
    """`POST /customers/photo`: a new picture of the customer is here."""
    return Callback(
        chat=file.chat,
        path=PHOTO_PATH,
        body={**address_fields(file.chat), "media_id": file.id},
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


def status_notice(
    state: DriverState, *, driver: str, advice: str | None, since: float, at: float
) -> Callback:
    """`POST /webhooks/whatsapp/status`: the state that is shown has changed."""
    return Callback(
        chat=NO_CHAT,
        path=STATUS_PATH,
        body={
            **state_fields(state),
            "driver": driver,
            "advice": advice,
            "since": to_iso(since),
            "at": to_iso(at),
        },
        request_id=new_request_id(),
    )


def state_fields(state: DriverState) -> dict[str, object]:
    """The state and what it means, as in `GET /status`."""
    return {
        "ready": state is DriverState.READY,
        "need_qr": state is DriverState.NEED_QR,
        "session_active": state in (DriverState.READY, DriverState.DEGRADED),
        "state": state,
    }
