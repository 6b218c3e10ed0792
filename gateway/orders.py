"""The backend's orders to send: accepted once, whatever is repeated or retried."""

from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.clock import now
from gateway.drivers.base import DriverState
from gateway.drivers.events import TemplateUse
from gateway.notices import map_notice
from gateway.store.callbacks import add_callback
from gateway.store.sends import BULK, REPLY, Send, add_send, change_send, find_attempts
from gateway.store.tables import SendState

PRIORITIES = {"reply": REPLY, "bulk": BULK}


class NotConnectedError(Exception):
    """WhatsApp cannot take a message now; the order was not accepted."""

    def __init__(self, state: DriverState) -> None:
        super().__init__(f"WhatsApp is not connected (state {state}).")


class UnknownMessageError(Exception):
    """No send of this message was ever accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendOrder:
    """The backend's order to send a text or a template, validated."""

    to: str
    message: str
    backend_message_id: int
    attempt: int
    priority: str
    template: TemplateUse | None = None


def cover_order(connection: Connection, order: SendOrder) -> bool:
    """True where what is known of this message makes the order needless."""
    attempts = find_attempts(connection, order.backend_message_id)
    if any(known.attempt == order.attempt for known in attempts):
        return True
    return any(_covers(connection, known, order) for known in attempts)


def _covers(connection: Connection, known: Send, order: SendOrder) -> bool:
    """Whether another attempt stands for this one; it is told or renumbered accordingly."""
    if known.is_erased:
        return True
    if known.state is SendState.SENT and known.whatsapp_id:
        # An agent's retry of what did go out: its map got lost, so say it again.
        add_callback(connection, map_notice(known, known.whatsapp_id), at=now())
        return True
    if known.attempt > order.attempt:
        return True
    if known.state is SendState.QUEUED:
        change_send(connection, known.id, attempt=order.attempt)
        return True
    return False


def store_order(connection: Connection, order: SendOrder, *, request_id: str) -> None:
    """Queue the send. Raises IntegrityError where this attempt is known."""
    at = now()
    add_send(
        connection,
        {
            "backend_message_id": order.backend_message_id,
            "attempt": order.attempt,
            "chat": order.to,
            "text": order.message,
            "priority": PRIORITIES[order.priority],
            "due_at": at,
            "accepted_at": at,
            "request_id": request_id,
        },
        template=order.template,
    )
