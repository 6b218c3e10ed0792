"""Rows as JSON objects: one shape for answers, lists and events.

Every function takes a model or a row with the same columns.
"""

from typing import Any

from crm.clock import to_wire
from crm.models import Customer, Message
from crm.models.message import shown_status

SUMMARY_COLUMNS: tuple[Any, ...] = (
    Customer.id, Customer.name, Customer.phone, Customer.lid, Customer.photo_url, Customer.status,
    Customer.last_message, Customer.last_timestamp, Customer.unread_count, Customer.active_at,
)  # fmt: skip
CUSTOMER_COLUMNS: tuple[Any, ...] = (
    Customer.id, Customer.name, Customer.phone, Customer.lid, Customer.status, Customer.remark,
    Customer.extra_fields, Customer.photo_url, Customer.unread_count, Customer.created_at,
    Customer.updated_at,
)  # fmt: skip
MESSAGE_COLUMNS: tuple[Any, ...] = (
    Message.id, Message.customer_id, Message.direction, Message.content, Message.timestamp,
    Message.ack, Message.whatsapp_id, Message.dispatch, Message.error, Message.attempts,
    Message.idempotency_key,
)  # fmt: skip


def customer_summary(row: Any) -> dict[str, Any]:
    """A row of the inbox's list."""
    return {
        "id": row.id,
        "name": row.name,
        "phone": row.phone,
        "lid": row.lid,
        "photo_url": row.photo_url,
        "status": row.status,
        "last_message": row.last_message,
        "last_timestamp": to_wire(row.last_timestamp),
        "unread_count": row.unread_count,
    }


def customer(row: Any) -> dict[str, Any]:
    """A customer with all that an agent may edit."""
    return {
        "id": row.id,
        "name": row.name,
        "phone": row.phone,
        "lid": row.lid,
        "status": row.status,
        "remark": row.remark,
        "extra_fields": row.extra_fields,
        "photo_url": row.photo_url,
        "unread_count": row.unread_count,
        "created_at": to_wire(row.created_at),
        "updated_at": to_wire(row.updated_at),
    }


def message(row: Any) -> dict[str, Any]:
    """A message of a chat, either way."""
    return {
        "id": row.id,
        "customer_id": row.customer_id,
        "direction": row.direction,
        "content": row.content,
        "timestamp": to_wire(row.timestamp),
        "ack": row.ack,
        "whatsapp_id": row.whatsapp_id,
        "status": shown_status(row.direction, row.dispatch, row.ack),
        "error": row.error,
        "attempts": row.attempts,
        "client_message_id": row.idempotency_key,
    }


def message_state(row: Any) -> dict[str, Any]:
    """What may change of a message after it was written."""
    return {
        "id": row.id,
        "ack": row.ack,
        "status": shown_status(row.direction, row.dispatch, row.ack),
        "whatsapp_id": row.whatsapp_id,
        "error": row.error,
    }
