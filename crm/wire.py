"""Rows as JSON objects: one list of fields for answers, lists and events.

A `Shape` makes the object in Python from a model, and has the database make it for lists, which
is several times faster (docs/adr/0006-json-from-rows.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ColumnElement, DateTime

from crm.clock import to_wire
from crm.json_sql import embedded_json, json_object, wire_time
from crm.models import Agent, ApiToken, AuditEntry, Customer, Message


@dataclass(frozen=True, slots=True)
class Shape:
    """A JSON object: the names of its fields, and the attributes of the model they come from."""

    model: type
    fields: Mapping[str, str]

    def of(self, row: Any) -> dict[str, Any]:
        """The object of one model."""
        return {name: _plain(getattr(row, source)) for name, source in self.fields.items()}

    def as_sql(self) -> ColumnElement[str]:
        """The object's JSON text as a column, made by the database."""
        return json_object(
            {name: _sql(getattr(self.model, source)) for name, source in self.fields.items()}
        )


def _shape(model: type, *names: str, **renamed: str) -> Shape:
    return Shape(model, {name: name for name in names} | renamed)


CUSTOMER_SUMMARY = _shape(
    Customer, "id", "name", "phone", "lid", "photo_url", "status", "last_message",
    "last_timestamp", "unread_count", "window_closes_at",
)  # fmt: skip
CUSTOMER = _shape(
    Customer, "id", "name", "phone", "lid", "status", "remark", "extra_fields", "photo_url",
    "unread_count", "window_closes_at", "created_at", "updated_at",
)  # fmt: skip
MESSAGE = _shape(
    Message, "id", "customer_id", "direction", "content", "timestamp", "ack", "whatsapp_id",
    "status", "error", "attempts", "media", "template", "author",
    client_message_id="idempotency_key",
)  # fmt: skip
MESSAGE_STATE = _shape(Message, "id", "ack", "status", "whatsapp_id", "error")
INBOUND_STATE = _shape(Message, *MESSAGE_STATE.fields, "media")
API_TOKEN = _shape(
    ApiToken, "id", "name", "prefix", "scope", "created_by", "created_at", "last_used_at",
    "revoked_at",
)  # fmt: skip
AGENT = _shape(Agent, "id", "login", "name", "role", "disabled_at", "created_at")
AUDIT_ENTRY = _shape(AuditEntry, "id", "at", "action", "actor", "subject", "address")
LISTED = [sorted(shape.fields.items()) for shape in (CUSTOMER_SUMMARY, CUSTOMER, MESSAGE)]
"""How rows of lists look: a release that shows them otherwise has other validators."""

customer_summary = CUSTOMER_SUMMARY.of
"""A row of the inbox's list."""
customer = CUSTOMER.of
"""A customer with all that an agent may edit."""
message = MESSAGE.of
"""A message of a chat, either way."""
message_state = MESSAGE_STATE.of
"""What may change of an outbound message after it was written."""
inbound_state = INBOUND_STATE.of
"""What may change of an inbound one."""
agent = AGENT.of
"""An account, without its password."""
api_token = API_TOKEN.of
"""A script's token, without what would let anyone use it."""


def _plain(value: Any) -> Any:
    return to_wire(value) if isinstance(value, datetime) else value


def _sql(column: ColumnElement[Any]) -> ColumnElement[Any]:
    if isinstance(column.type, DateTime):
        return wire_time(column)
    return embedded_json(column) if isinstance(column.type, JSON) else column
