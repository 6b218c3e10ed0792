"""Everything that one webhook update reports.

Not pywa's parser: it reads the first message of the first change of the first entry only, and gives
up on one without `contacts` or `user_id`, which Meta's own documents call optional.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import structlog

from gateway.chats import parse_chat
from gateway.clock import now
from gateway.drivers.base import UnreadableError
from gateway.drivers.cloud.codes import Action, find_rule
from gateway.drivers.cloud.contents import describe, find_media
from gateway.drivers.events import (
    ACK_DELIVERED,
    ACK_PLAYED,
    ACK_READ,
    Event,
    Failure,
    Inbound,
    Receipt,
    SendId,
)

log = structlog.get_logger(__name__)

Part = dict[str, Any]
WINDOW = 24 * 3600.0
ACK_SENT = 1
ACKS = {"sent": ACK_SENT, "delivered": ACK_DELIVERED, "read": ACK_READ, "played": ACK_PLAYED}
TRACKER = re.compile(r"backend:([0-9]{1,18}):([0-9]{1,18})")
NOWHERE = "-"
"""The lane of a receipt whose customer WhatsApp does not name."""
BROKEN = (KeyError, TypeError, AttributeError, ValueError, IndexError, OverflowError)


def make_tracker(send: SendId) -> str:
    """What comes back in every status: so a status can be told apart before its send is mapped."""
    return f"backend:{send.backend_message_id}:{send.attempt}"


def read_update(raw: str, *, phone_id: str) -> list[Event]:
    """Messages and statuses in their order. Raises UnreadableError with what was readable."""
    events: list[Event] = []
    broken = 0
    for value in _values(raw, phone_id):
        for part, read in (*_each(value, "messages"), *_each(value, "statuses")):
            try:
                event = read(part, value)
            except BROKEN as error:
                log.warning("part_unreadable", error=type(error).__name__)
                broken += 1
            else:
                events += [event] if event is not None else []
    if broken:
        raise UnreadableError(f"{broken} parts are not readable", events=events)
    return events


def _values(raw: str, phone_id: str) -> Iterator[Part]:
    """The `value` of each change that is about messages of our number."""
    try:
        update = json.loads(raw)
        changes = [change for entry in update["entry"] for change in entry["changes"]]
        pairs = [(change["field"], change["value"]) for change in changes]
    except (*BROKEN, RecursionError) as error:
        raise UnreadableError("not an update of WhatsApp") from error
    for field, value in pairs:
        if field != "messages" or not isinstance(value, dict):
            log.info("update_of_no_interest", field=str(field)[:64])
            continue
        metadata = value.get("metadata")
        theirs = metadata.get("phone_number_id") if isinstance(metadata, dict) else None
        if theirs != phone_id:
            log.warning("update_of_another_number", phone_id=str(theirs)[:64])
            continue
        yield value


def _each(value: Part, name: str) -> list[tuple[Part, Any]]:
    read = _read_message if name == "messages" else _read_status
    return [(part, read) for part in value.get(name) or []]


def _read_message(message: Part, value: Part) -> Event | None:
    if message.get("group_id"):
        log.info("group_message_ignored")
        return None
    contact = _find_contact(message, value)
    at = _read_time(message)
    return Inbound(
        chat=parse_chat(message.get("from") or contact["wa_id"]),
        text=describe(message),
        name=(contact.get("profile") or {}).get("name"),
        whatsapp_id=message["id"],
        at=at,
        media=find_media(message),
        window_closes_at=at + WINDOW,
    )


def _find_contact(message: Part, value: Part) -> Part:
    """Whoever wrote it; `wa_id` and `from` may differ in some countries."""
    contacts: list[Part] = value.get("contacts") or []
    for contact in contacts:
        if contact.get("wa_id") == message.get("from"):
            return contact
    return contacts[0] if len(contacts) == 1 else {}


def _read_status(status: Part, _value: Part) -> Event | None:
    if status.get("recipient_type") == "group":
        log.info("group_status_ignored")
        return None
    kind = status["status"]
    if kind == "failed":
        return _read_failure(status)
    if kind not in ACKS:
        log.info("status_of_no_interest", status=str(kind)[:32])
        return None
    return Receipt(
        chat=_read_recipient(status),
        whatsapp_id=status["id"],
        ack=ACKS[kind],
        at=_read_time(status),
        send=_read_tracker(status),
    )


def _read_failure(status: Part) -> Failure:
    error: Part = (status.get("errors") or [{}])[0]
    code = int(error.get("code") or 0)
    rule = find_rule(code) if code else None
    details = (error.get("error_data") or {}).get("details") or error.get("title")
    return Failure(
        chat=_read_recipient(status),
        whatsapp_id=status["id"],
        code=str(code) if code else "failed",
        reason=rule.reason if rule else details or "WhatsApp gave up on it without saying why.",
        # What passes, or asks for patience, is for an agent to order again: it was one try.
        retryable=rule is None or rule.retryable or rule.action is not Action.NEVER,
        at=_read_time(status),
        send=_read_tracker(status),
    )


def _read_recipient(status: Part) -> str:
    try:
        return parse_chat(status.get("recipient_id") or "")
    except ValueError:
        return NOWHERE


def _read_tracker(status: Part) -> SendId | None:
    found = TRACKER.fullmatch(status.get("biz_opaque_callback_data") or "")
    return found and SendId(backend_message_id=int(found[1]), attempt=int(found[2]))


def _read_time(part: Part) -> float:
    """Unix seconds; a message of unknown time is not thrown away."""
    try:
        return float(int(part["timestamp"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        return now()
