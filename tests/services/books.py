"""The database held against the promise, after each step of a state machine."""

from typing import Any

import orjson
from sqlalchemy import select

from crm.models import Counter, Customer, Event, Message, ParkedAck
from crm.wire import message_state
from tests.services.promise import Promise
from tests.services.shop import Shop

_TOTALS = select(Counter.name, Counter.value)
_EVENTS = select(Event.id, Event.data).order_by(Event.id)
_TOLD = ("id", "ack", "status", "whatsapp_id", "error")


class Books:
    """Compares, and remembers what may only grow."""

    def __init__(self) -> None:
        self.last_acks: dict[int, int] = {}
        self.last_event = 0
        self.last_told: dict[int, dict[str, Any]] = {}

    def compare(self, shop: Shop, promise: Promise) -> None:
        """Everything is as promised, or it fails."""
        with shop.backend.session() as session:
            rows = session.scalars(select(Message).where(Message.dispatch.is_not(None))).all()
            self._compare_messages(rows, promise)
            found = session.execute(select(Customer.id, Customer.unread_count)).all()
            parked = session.execute(select(ParkedAck.whatsapp_id, ParkedAck.ack)).all()
            totals = {row.name: row.value for row in session.execute(_TOTALS)}
            newer = _EVENTS.where(Event.id > self.last_event)
            events = [(row.id, row.data) for row in session.execute(newer)]
        unread = {customer_id: count for customer_id, count in found if count}
        assert unread == {c: len(ids) for c, ids in promise.unread.items() if ids}
        assert {row.whatsapp_id: row.ack for row in parked} == promise.parked
        mapped = sum(message.state == "mapped" for message in promise.messages.values())
        assert totals["messages_sent"] == mapped
        assert totals["messages_received"] == len(promise.inbound)
        assert totals["messages_failed"] == promise.given_up
        self._read_events(events, {row.id: message_state(row) for row in rows}, promise)

    def _compare_messages(self, rows: Any, promise: Promise) -> None:
        stored = {row.id: (row.status, row.ack, row.whatsapp_id) for row in rows}
        assert stored == {
            message_id: (message.shown, message.ack, message.whatsapp_id)
            for message_id, message in promise.messages.items()
        }
        assert all(row.ack >= self.last_acks.get(row.id, 0) for row in rows), "an ack fell"
        self.last_acks = {row.id: row.ack for row in rows}
        busy = [row.customer_id for row in rows if row.dispatch == "sending"]
        assert len(busy) == len(set(busy)), "two of one customer in flight"

    def _read_events(
        self, new: list[tuple[int, str]], rows: dict[int, dict[str, Any]], promise: Promise
    ) -> None:
        """What is told last is what is stored, and no state is told twice in a row."""
        for event_id, data in new:
            assert event_id > self.last_event
            self.last_event, event = event_id, orjson.loads(data)
            if event["type"] in {"message_status", "outbound_message"}:
                told = {name: event["message"][name] for name in _TOLD}
                assert told != self.last_told.get(told["id"]), "told twice"
                self.last_told[told["id"]] = told
            elif event["type"] == "message_seen":
                promise.seen -= 1
        assert self.last_told == rows
        assert promise.seen == 0, "message_seen is told once a message"
