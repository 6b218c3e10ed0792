"""Compares the records. Each check returns sentences; an empty list is a promise kept."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

from tests.soak.records import OPEN_STATES, Records, Row
from tests.soak.workload import Answered


def find_lost(records: Records) -> Iterator[str]:
    """Answered for, and nowhere; or called delivered, and never received."""
    rows = {row["id"]: row for row in records.outbound}
    arrived = {entry["backend_message_id"] for entry in records.whatsapp}
    for answer in records.answered:
        row = rows.get(answer.id)
        if row is None:
            yield f"message {answer.id} was answered with {answer.status} and has no row"
        elif (row["customer_id"], row["content"]) != (answer.customer_id, answer.text):
            yield f"message {answer.id} has another customer or text than what was answered"
        elif row["dispatch"] == "mapped" and answer.id not in arrived:
            yield f"message {answer.id} is called sent, and WhatsApp never got it"


def find_doubled(records: Records) -> Iterator[str]:
    """The same thing twice: at WhatsApp by id or by text, or as rows."""
    yield from _repeats("WhatsApp got message", (e["backend_message_id"] for e in records.whatsapp))
    yield from _repeats("WhatsApp got the text", (e["text"] for e in records.whatsapp))
    yield from _repeats("rows with the text", (row["content"] for row in records.outbound))
    yield from _repeats("answers with the id", (answer.id for answer in records.answered))
    answered = {answer.key for answer in records.answered}
    for row in records.outbound:
        if row["idempotency_key"] not in answered:
            yield f"message {row['id']} has a row, and no answer"


def find_disorder(records: Records) -> Iterator[str]:
    """One customer's messages arrived in another order than they were written in."""
    places = {answer.id: answer.place for answer in records.answered}
    by_customer: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for entry in records.whatsapp:
        message_id = entry["backend_message_id"]
        by_customer[entry["to"]].append((places.get(message_id, 0), message_id))
    for arrived in by_customer.values():
        for before, after in pairwise(arrived):
            if after < before:
                yield f"message {after[1]} arrived after {before[1]}, written later"
    for written in _by_customer(records):
        ids = [answer.id for answer in written]
        if ids != sorted(ids):
            yield f"customer {written[0].customer_id}: ids do not follow the order of writing"


def find_false_failures(records: Records) -> Iterator[str]:
    """Called failed, and it went out."""
    arrived = {entry["backend_message_id"] for entry in records.whatsapp}
    for row in records.outbound:
        if row["dispatch"] in ("failed", "cancelled") and row["id"] in arrived:
            yield f"message {row['id']} is called {row['dispatch']}, and went out"


def find_wrong_states(records: Records) -> Iterator[str]:
    """Not settled, or not what WhatsApp knows."""
    arrived = {entry["backend_message_id"]: entry for entry in records.whatsapp}
    for row in records.outbound:
        entry = arrived.get(row["id"])
        state = f"message {row['id']} is {row['dispatch']} (ack {row['ack']}, {_story(row)})"
        if row["dispatch"] in OPEN_STATES:
            yield f"{state}: not settled"
        elif entry and (row["dispatch"] != "mapped" or row["ack"] != 3):
            yield f"{state}, and was sent and read"
        elif entry and row["whatsapp_id"] != entry["whatsapp_id"]:
            yield f"{state} under another WhatsApp id"


def find_inbound_faults(records: Records) -> Iterator[str]:
    """A customer's message that is missing, doubled, or miscounted; customers made twice."""
    rows = defaultdict(list)
    for row in records.inbound:
        rows[row["whatsapp_id"]].append(row)
    for message in records.received:
        found = rows[message.whatsapp_id]
        if len(found) != 1:
            yield f"inbound {message.whatsapp_id} has {len(found)} rows"
    yield from _repeats("customers with the phone", (row["phone"] for row in records.customers))
    unread = Counter(row["customer_id"] for row in records.inbound if row["ack"] < 3)
    for customer in records.customers:
        if customer["unread_count"] != unread[customer["id"]]:
            yield (
                f"customer {customer['id']} shows {customer['unread_count']} unread of "
                f"{unread[customer['id']]}"
            )


def find_wrong_counters(records: Records) -> Iterator[str]:
    """Stored totals that are not the sums of the rows."""
    mapped = sum(row["dispatch"] == "mapped" for row in records.outbound)
    for name, count in (("messages_sent", mapped), ("messages_received", len(records.inbound))):
        if records.counters[name] != count:
            yield f"{name} is {records.counters[name]}, the rows say {count}"


def find_event_faults(records: Records) -> Iterator[str]:
    """The log of events does not tell what became of the rows."""
    status, seen = (records.events_by_message(k) for k in ("message_status", "message_seen"))
    written = records.events_by_message("outbound_message")
    received = records.events_by_message("inbound_message")
    for row in records.outbound:
        told = [_told(event) for event in status[row["id"]]]
        if told and told[-1] != _told_of(row):
            yield f"message {row['id']}: the last event says {told[-1]}, the row {_told_of(row)}"
        if any(one == other for one, other in pairwise(told)):
            yield f"message {row['id']}: the same state was told twice: {told}"
        if len(written[row["id"]]) != 1:
            yield f"message {row['id']}: {len(written[row['id']])} outbound_message events"
        if len(seen[row["id"]]) != (row["ack"] >= 3):
            yield f"message {row['id']}: {len(seen[row['id']])} message_seen events"
    for row in records.inbound:
        if len(received[row["id"]]) != 1:
            yield f"message {row['id']}: {len(received[row['id']])} inbound_message events"
    yield from _customers_told(records)


CHECKS: dict[str, Callable[[Records], Iterable[str]]] = {
    "lost": find_lost,
    "doubled": find_doubled,
    "out of order": find_disorder,
    "called failed that went out": find_false_failures,
    "wrong final state": find_wrong_states,
    "inbound": find_inbound_faults,
    "counters": find_wrong_counters,
    "events": find_event_faults,
}


def _repeats(what: str, things: Iterable[object]) -> Iterator[str]:
    for thing, times in Counter(things).items():
        if times > 1:
            yield f"{what} {thing}: {times} times"


def _by_customer(records: Records) -> Iterator[list[Answered]]:
    found: dict[int, list[Answered]] = defaultdict(list)
    for answer in sorted(records.answered, key=lambda answer: answer.place):
        found[answer.customer_id].append(answer)
    yield from found.values()


def _customers_told(records: Records) -> Iterator[str]:
    """`new_customer` once each, and before the customer's first inbound message."""
    new: Counter[int] = Counter()
    for event in records.events:
        customer_id = json.loads(event["data"]).get("customer_id")
        if event["type"] == "new_customer":
            new[customer_id] += 1
        elif event["type"] == "inbound_message" and not new[customer_id]:
            yield f"customer {customer_id} wrote before new_customer was told"
    for customer in records.customers:
        if new[customer["id"]] != 1:
            yield f"customer {customer['id']}: {new[customer['id']]} new_customer events"


def _told(event: Row) -> tuple[object, ...]:
    return tuple(event[name] for name in ("ack", "status", "whatsapp_id", "error"))


def _told_of(row: Row) -> tuple[object, ...]:
    shown = {1: "sent", 2: "delivered", 3: "read", 4: "played"}
    status = shown[row["ack"]] if row["dispatch"] == "mapped" else row["dispatch"]
    return row["ack"], status, row["whatsapp_id"], row["error"]


def _story(row: Row) -> str:
    names = ("claims", "failures", "lost_leases", "maybe_written", "error_code", "error")
    return ", ".join(f"{name} {row[name]}" for name in names)
