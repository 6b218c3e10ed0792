"""What WhatsApp says of a message of ours: receipts and failures, brought to the send they mean."""

from dataclasses import replace

import structlog
from sqlalchemy import Connection

from gateway.clock import now
from gateway.drivers.events import ACK_DELIVERED, ACK_READ, Failure, Receipt
from gateway.notices import ack_notice, given_up_notice, map_notice, new_request_id, seen_notice
from gateway.store.callbacks import Callback, add_callback
from gateway.store.facts import Fact, remember
from gateway.store.sends import Send, find_attempt, find_by_whatsapp_id, settle_send
from gateway.store.tables import SendState
from gateway.texts import make_storable

log = structlog.get_logger(__name__)

MAX_REASON = 500


def record_receipt(connection: Connection, event: Receipt) -> None:
    """Settle the send that it proves to be sent, map before ack; then say what was proved."""
    at = now()
    send = _find_send(connection, event)
    remember(connection, Fact.LAST_ACK_AT, at)
    if send is not None and send.is_erased:
        return
    if send is not None and _is_news(send, event):
        settle_send(connection, send.id, SendState.SENT, at=at, whatsapp_id=event.whatsapp_id)
        add_callback(connection, map_notice(send, event.whatsapp_id), at=at)
        remember(connection, Fact.LAST_SENT_AT, at)
    if event.ack >= ACK_DELIVERED:
        add_callback(connection, _describe(event, send), at=at)


def record_failure(connection: Connection, event: Failure) -> None:
    """Settle the send as failed, so that an agent's retry truly sends it again."""
    at = now()
    send = _find_send(connection, event)
    if send is None:
        log.warning("failure_of_an_unknown_send", code=event.code)
        return
    remember(connection, Fact.LAST_ACK_AT, at)  # bad news, and a sign of life
    if send.is_erased:
        return
    event = replace(event, reason=make_storable(event.reason)[:MAX_REASON])
    why = {"code": event.code, "reason": event.reason, "whatsapp_id": event.whatsapp_id}
    settle_send(connection, send.id, SendState.FAILED, at=at, **why)
    add_callback(connection, given_up_notice(send, event), at=at)
    log.error("send_given_up", message_id=send.backend_message_id, code=event.code)


def _find_send(connection: Connection, event: Receipt | Failure) -> Send | None:
    """By WhatsApp's id, else by our own, which the driver got back; None: no send of ours."""
    send = find_by_whatsapp_id(connection, event.whatsapp_id)
    if send is None and event.send is not None:
        ids = event.send
        send = find_attempt(connection, ids.backend_message_id, ids.attempt)
        if send is not None and send.whatsapp_id is not None:
            return None  # That attempt is another message of WhatsApp's.
    return send


def _is_news(send: Send, event: Receipt) -> bool:
    """Whether it shows as sent what was not settled so. "Sent" says nothing of a later failure."""
    if send.state is SendState.SENT:
        return False
    return send.whatsapp_id is None or event.ack >= ACK_DELIVERED


def _describe(event: Receipt, send: Send | None) -> Callback:
    """A read message of ours is `seen`; one we do not know (yet) is a plain ack."""
    if send is None:
        return ack_notice(event, request_id=new_request_id())
    # The chat may be written otherwise there; one name keeps map and acks in one lane.
    event = replace(event, chat=send.chat)
    if event.ack == ACK_READ:
        return seen_notice(event, send)
    return ack_notice(event, request_id=send.request_id)
