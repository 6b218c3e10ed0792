"""Events of neonize as events of the gateway: one function for each kind."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from gateway.drivers.events import (
    ACK_DELIVERED,
    ACK_PLAYED,
    ACK_READ,
    Event,
    Inbound,
    Media,
    MediaKind,
    Picture,
    Receipt,
)
from gateway.drivers.web.addresses import (
    LID_SERVERS,
    PHONE_SERVERS,
    Customer,
    Directory,
    find_customer,
    name_customer,
)
from gateway.drivers.web.contents import (
    UNAVAILABLE,
    UNSUPPORTED,
    read_media,
    read_text,
    unwrap,
)
from gateway.drivers.web.line import Address, Proto
from gateway.drivers.web.references import PictureReference, write_reference

log = structlog.get_logger(__name__)

ACKS = {"DELIVERED": ACK_DELIVERED, "READ": ACK_READ, "PLAYED": ACK_PLAYED}
"""The rest are our own devices', or ask for a repeat."""


def report_message(event: Proto, directory: Directory) -> list[Event]:
    """A customer's message; nothing for groups, echoes of our own, history and bookkeeping."""
    source = event.Info.MessageSource
    if source.IsFromMe or event.HasField("SourceWebMsg"):
        return []
    customer = find_customer(source, directory)
    if customer is None:
        return []
    text, media = _read_content(event)
    if text is None:
        return []
    return [_inbound(event.Info, customer, text=text, media=media)]


def report_undecryptable(event: Proto, directory: Directory) -> list[Event]:
    """Most of these come again, readable; WhatsApp keeps the others to the phone."""
    log.warning("message_not_readable", whatsapp_id=event.Info.ID, gone=event.IsUnavailable)
    source = event.Info.MessageSource
    if not event.IsUnavailable or source.IsFromMe:
        return []
    customer = find_customer(source, directory)
    if customer is None:
        return []
    return [_inbound(event.Info, customer, text=UNAVAILABLE, media=None)]


def report_receipt(event: Proto, directory: Directory) -> list[Event]:
    """One receipt for each message of ours that it names."""
    # An unknown kind leaves the field out, and would then read as the first: delivered.
    if not event.HasField("Type") or event.MessageSource.IsFromMe:
        return []
    kinds = event.DESCRIPTOR.fields_by_name["Type"].enum_type.values_by_number
    ack = ACKS.get(kinds[event.Type].name)
    customer = find_customer(event.MessageSource, directory)
    if ack is None or customer is None:
        return []
    return [
        Receipt(chat=customer.chat, whatsapp_id=known, ack=ack, at=float(event.Timestamp))
        for known in event.MessageIDs
    ]


def report_picture(event: Proto, directory: Directory) -> list[Event]:
    """A customer's new picture, to be fetched later; one taken away is left as it was.

    The phone's whole address book is told of; most of it has nothing to do with the shop.
    """
    if event.Remove or event.JID.Server not in PHONE_SERVERS | LID_SERVERS:
        return []
    whose = Address(user=event.JID.User, server=event.JID.Server)
    customer = name_customer([event.JID], directory)
    if customer is None or directory.is_ours(whose) or not directory.has_met(customer):
        return []
    reference = write_reference(PictureReference(whose=whose, version=event.Timestamp))
    media = Media(kind=MediaKind.IMAGE, mime="image/jpeg", reference=reference)
    return [Picture(chat=customer.chat, media=media)]


def _read_content(event: Proto) -> tuple[str | None, Media | None]:
    """A message whose reading breaks is still a message: nothing is lost in silence."""
    try:
        message = unwrap(event.Message)
        text = read_text(message)
        if text is not None and event.IsEdit and not text.startswith("[edited]"):
            text = f"[edited] {text}"
        return text, read_media(message)
    except Exception:
        log.exception("message_not_understood", whatsapp_id=event.Info.ID)
        return UNSUPPORTED, None


def _inbound(info: Proto, customer: Customer, *, text: str, media: Media | None) -> Inbound:
    return Inbound(
        chat=customer.chat,
        lid=customer.lid,
        text=text,
        name=info.Pushname.strip() or None,
        whatsapp_id=info.ID,
        at=info.Timestamp / 1000,  # milliseconds here, seconds in receipts
        media=media,
    )


REPORTS: dict[str, Callable[[Proto, Directory], list[Event]]] = {
    "Message": report_message,
    "UndecryptableMessage": report_undecryptable,
    "Receipt": report_receipt,
    "Picture": report_picture,
}
