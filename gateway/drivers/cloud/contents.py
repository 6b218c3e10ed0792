"""What a customer's message says, as text; the raw update keeps what a text cannot say."""

from collections.abc import Callable
from typing import Any

from gateway.drivers.events import Media, MediaKind

Content = dict[str, Any]
FILES = {kind.value for kind in MediaKind}
UNSUPPORTED = "[a message of a kind that WhatsApp does not pass on]"
MOST_SHOWN = 10
"""Contacts or products named in one text."""


def describe(message: Content) -> str:
    """The text to show. Raises KeyError, TypeError or AttributeError over a broken shape."""
    kind: str = message["type"]
    content: Any = message.get(kind)
    if kind in FILES:
        return content.get("caption") or _placeholder(kind, content)
    if kind not in WRITERS:
        return UNSUPPORTED if kind in {"unsupported", "unknown"} else f"[{kind}]"
    text = WRITERS[kind](content)
    return text or f"[{kind}]"


def find_media(message: Content) -> Media | None:
    """The file that came with it; its reference is Meta's id for it."""
    kind = message["type"]
    if kind not in FILES:
        return None
    content = message[kind]
    return Media(
        kind=MediaKind(kind),
        mime=content.get("mime_type") or "application/octet-stream",
        reference=content["id"],
        file_name=content.get("filename"),
    )


def _placeholder(kind: str, content: Content) -> str:
    if kind == MediaKind.AUDIO and content.get("voice"):
        return "[voice message]"
    if name := content.get("filename"):
        return f"[{kind}: {name}]"
    return f"[{kind}]"


def _text(content: Content) -> str:
    return str(content["body"])


def _reaction(content: Content) -> str:
    emoji = content.get("emoji")
    return f"[reacted with {emoji}]" if emoji else "[took a reaction back]"


def _button(content: Content) -> str:
    return str(content.get("text") or content.get("payload") or "")


def _interactive(content: Content) -> str:
    """A tap on one of the choices that were offered, or a filled-in form."""
    kind = content["type"]
    answer = content[kind]
    if kind == "list_reply" and answer.get("description"):
        return f"{answer['title']} ({answer['description']})"
    if kind == "call_permission_reply":
        return f"[calls: {answer.get('response', '?')}]"
    return str(answer.get("title") or answer.get("body") or answer.get("name") or "")


def _location(content: Content) -> str:
    place = ", ".join(str(content[key]) for key in ("name", "address") if content.get(key))
    spot = f"{content['latitude']}, {content['longitude']}"
    return f"[location] {place} ({spot})" if place else f"[location] {spot}"


def _contacts(content: list[Content]) -> str:
    return "\n".join(f"[contact] {_contact(contact)}" for contact in content[:MOST_SHOWN])


def _contact(contact: Content) -> str:
    name = contact.get("name", {}).get("formatted_name", "")
    phones = (str(phone.get("phone") or phone.get("wa_id")) for phone in contact.get("phones", []))
    return " ".join([name, *phones]).strip()


def _order(content: Content) -> str:
    items = content.get("product_items", [])
    lines = [
        f"{item.get('quantity', 1)} × {item.get('product_retailer_id')}"
        f" ({item.get('item_price')} {item.get('currency')})"
        for item in items[:MOST_SHOWN]
    ]
    said = content.get("text")
    return "\n".join(["[order]", *lines, *([said] if said else [])])


def _system(content: Content) -> str:
    return f"[system] {content.get('body') or content.get('type') or ''}".strip()


def _edit(content: Content) -> str:
    return f"[edited] {describe(content['message'])}"


def _revoke(_content: Content) -> str:
    return "[deleted a message]"


def _welcome(_content: Content | None) -> str:
    return "[opened the chat]"


WRITERS: dict[str, Callable[[Any], str]] = {
    "text": _text,
    "reaction": _reaction,
    "button": _button,
    "interactive": _interactive,
    "location": _location,
    "contacts": _contacts,
    "order": _order,
    "system": _system,
    "edit": _edit,
    "revoke": _revoke,
    "request_welcome": _welcome,
}
