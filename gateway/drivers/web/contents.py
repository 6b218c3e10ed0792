"""What a message says: a sensible text for every kind, and the file that came with it."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from gateway.drivers.events import Media, MediaKind
from gateway.drivers.web.line import File, Proto
from gateway.drivers.web.references import write_reference
from gateway.texts import make_storable

log = structlog.get_logger(__name__)

UNSUPPORTED = "[A message that this inbox cannot show; look at the phone]"
UNAVAILABLE = "[A message that only the phone can show]"
EDIT = "MESSAGE_EDIT"
MAX_SIZE = 2**63 - 1
"""What a store can hold; more is no size."""
MAX_MIME, MAX_NAME = 100, 1000

MEDIA = {
    "imageMessage": MediaKind.IMAGE,
    "videoMessage": MediaKind.VIDEO,
    "ptvMessage": MediaKind.VIDEO,
    "audioMessage": MediaKind.AUDIO,
    "documentMessage": MediaKind.DOCUMENT,
    "stickerMessage": MediaKind.STICKER,
}
WRAPPERS = (
    "ephemeralMessage",
    "viewOnceMessage",
    "viewOnceMessageV2",
    "viewOnceMessageV2Extension",
    "documentWithCaptionMessage",
    "editedMessage",
    "lottieStickerMessage",
    "groupMentionedMessage",
    "associatedChildMessage",
    "botForwardedMessage",
    "spoilerMessage",
)
SILENT = {
    "senderKeyDistributionMessage",
    "fastRatchetKeySenderKeyDistributionMessage",
    "messageContextInfo",
    "protocolMessage",
    "stickerSyncRmrMessage",
    "keepInChatMessage",
    "pinInChatMessage",
    "albumMessage",
    "messageHistoryBundle",
    "messageHistoryNotice",
    "botInvokeMessage",
    "encReactionMessage",
    "deviceSentMessage",
    "chat",
}
"""Bookkeeping between programs: nobody said anything."""


def unwrap(message: Proto) -> Proto:
    """The message inside disappearing, view-once and captioned ones."""
    for _ in range(5):
        wrapper = next((name for name in WRAPPERS if message.HasField(name)), None)
        if wrapper is None:
            break
        message = getattr(message, wrapper).message
    return message


def read_text(message: Proto) -> str | None:
    """The text to show; None where nobody said anything."""
    present = {field.name for field, _ in message.ListFields()}
    for name, read in TEXTS.items():
        if name in present:
            return read(getattr(message, name))
    for name, kind in MEDIA.items():
        if name in present:
            return _media_text(getattr(message, name), kind)
    if message.HasField("protocolMessage"):
        return _edited(message.protocolMessage)
    return None if present <= SILENT else UNSUPPORTED


def read_media(message: Proto) -> Media | None:
    """The file that came with a message, with all that is needed to fetch it later."""
    for name, kind in MEDIA.items():
        if message.HasField(name):
            return _make_media(getattr(message, name), kind)
    return None


def _make_media(file: Proto, kind: MediaKind) -> Media | None:
    size = file.fileLength if file.HasField("fileLength") else None
    if size is not None and size > MAX_SIZE:
        size = None
    # Nothing else of it is kept: above all no URL, which the library would fetch from any host.
    kept = File(
        kind=kind,
        path=file.directPath,
        key=file.mediaKey,
        digest=file.fileSHA256,
        encrypted_digest=file.fileEncSHA256,
        size=size,
    )
    try:
        reference = write_reference(kept)
    except ValueError:
        log.warning("media_reference_too_large", kind=kind)
        return None
    name = make_storable(getattr(file, "fileName", ""))[:MAX_NAME]
    return Media(
        kind=kind,
        mime=make_storable(file.mimetype)[:MAX_MIME] or "application/octet-stream",
        reference=reference,
        size=size,
        file_name=name or None,
    )


def _media_text(file: Proto, kind: MediaKind) -> str:
    return getattr(file, "caption", "") or getattr(file, "fileName", "") or f"[{kind}]"


def _edited(protocol: Proto) -> str | None:
    kind = protocol.DESCRIPTOR.fields_by_name["type"].enum_type.values_by_number[protocol.type]
    if kind.name != EDIT or not protocol.HasField("editedMessage"):
        return None
    text = read_text(unwrap(protocol.editedMessage))
    return None if text is None else f"[edited] {text}"


def _reaction(reaction: Proto) -> str | None:
    return f"[reaction] {reaction.text}" if reaction.text else None


def _location(place: Proto) -> str:
    where = f"https://maps.google.com/?q={place.degreesLatitude:.6f},{place.degreesLongitude:.6f}"
    parts = [getattr(place, name, "") for name in ("name", "address", "caption", "comment")]
    return "\n".join(["[location]", *(part for part in parts if part), where])


def _contact(contact: Proto) -> str:
    lines = [line for line in contact.vcard.splitlines() if "TEL" in line.partition(":")[0]]
    phones = [line.rpartition(":")[2].strip() for line in lines]
    return " ".join(["[contact]", contact.displayName, *phones]).strip()


def _contacts(several: Proto) -> str:
    return "\n".join(_contact(contact) for contact in several.contacts) or "[contact]"


def _poll(poll: Proto) -> str:
    options = [f"- {option.optionName}" for option in poll.options]
    return "\n".join([f"[poll] {poll.name}", *options])


def _list_choice(answer: Proto) -> str:
    return str(answer.title or answer.description or answer.singleSelectReply.selectedRowID)


def _order(order: Proto) -> str:
    return f"[order] {order.orderTitle} {order.message}".strip()


TEXTS: dict[str, Callable[[Proto], str | None]] = {
    "conversation": str,
    "extendedTextMessage": lambda message: message.text,
    "reactionMessage": _reaction,
    "buttonsResponseMessage": lambda m: m.selectedDisplayText or m.selectedButtonID,
    "templateButtonReplyMessage": lambda m: m.selectedDisplayText or m.selectedID,
    "interactiveResponseMessage": lambda m: m.body.text or UNSUPPORTED,
    "listResponseMessage": _list_choice,
    "locationMessage": _location,
    "liveLocationMessage": _location,
    "contactMessage": _contact,
    "contactsArrayMessage": _contacts,
    "orderMessage": _order,
    "productMessage": lambda m: f"[product] {m.product.title} {m.body}".strip(),
    "groupInviteMessage": lambda m: f"[group invitation] {m.groupName}".strip(),
    "eventMessage": lambda m: f"[event] {m.name}".strip(),
    "pollUpdateMessage": lambda _: "[A vote in a poll]",
    "placeholderMessage": lambda _: UNAVAILABLE,
    **dict.fromkeys([f"pollCreationMessage{version}" for version in ("", "V2", "V3", "V5")], _poll),
}
