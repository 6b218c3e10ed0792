"""The three independent records: what the API answered, the database, WhatsApp's log."""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from config.addresses import normalize_database_url
from tests.soak.stage import Stage
from tests.soak.workload import Answered, Received

Row = dict[str, Any]
OPEN_STATES = ("queued", "sending", "accepted")
MESSAGES = """SELECT id, customer_id, direction, content, timestamp, ack, whatsapp_id, dispatch,
 idempotency_key, claims, failures, attempts, gateway_attempt, maybe_written, error, error_code,
 lost_leases FROM messages ORDER BY id"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """All that is known at one moment."""

    answered: list[Answered]
    received: list[Received]
    messages: list[Row]
    customers: list[Row]
    counters: dict[str, int]
    events: list[Row]
    whatsapp: list[Row] = field(default_factory=list)

    @property
    def outbound(self) -> list[Row]:
        return [row for row in self.messages if row["direction"] == "outbound"]

    @property
    def inbound(self) -> list[Row]:
        return [row for row in self.messages if row["direction"] == "inbound"]

    def events_by_message(self, kind: str) -> dict[int, list[Row]]:
        """Events of one type about a message, oldest first, with the message's state in each."""
        found: dict[int, list[Row]] = defaultdict(list)
        for event in self.events:
            if event["type"] == kind:
                data = json.loads(event["data"])
                state = data.get("message") or {"id": data.get("message_id")}
                found[state["id"]].append({**state, "event_id": event["id"],
                                           "created_at": event["created_at"]})  # fmt: skip
        return found


class Database:
    """The backend's database, read from outside."""

    def __init__(self, stage: Stage) -> None:
        self._engine: Engine = create_engine(normalize_database_url(stage.stack.database_url))

    def rows(self, statement: str) -> list[Row]:
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(text(statement)).mappings()]

    def count(self, statement: str) -> int:
        return int(next(iter(self.rows(statement)[0].values())))

    def close(self) -> None:
        self._engine.dispose()


def unsettled(database: Database, stage: Stage) -> list[str]:
    """What still has to happen before the records can be compared; empty when all is settled."""
    try:
        waiting = database.rows(
            "SELECT dispatch, count(*) AS number FROM messages "
            f"WHERE dispatch IN {OPEN_STATES} GROUP BY dispatch"
        )
        mapped = {row["id"]: row["ack"] for row in database.rows(
            "SELECT id, ack FROM messages WHERE dispatch = 'mapped'"
        )}  # fmt: skip
    except DBAPIError as error:
        return [f"database: {type(error).__name__}"]
    left = [f"{row['number']} {row['dispatch']}" for row in waiting]
    log = read_whatsapp(stage)
    if unmapped := [entry for entry in log if entry["backend_message_id"] not in mapped]:
        left.append(f"{len(unmapped)} received but not mapped")
    if unread := [message for message, ack in mapped.items() if ack < 3]:
        left.append(f"{len(unread)} not read")
    return left


def read_whatsapp(stage: Stage) -> list[Row]:
    """What the far side received, in its order; a line cut off by a kill was not received."""
    if stage.graph:
        return [_as_received(entry) for entry in stage.graph.account.entries()]
    if not stage.whatsapp_log.exists():
        return []
    with stage.whatsapp_log.open("rb") as file:
        return [json.loads(line) for line in file if line.endswith(b"}\n")]


def _as_received(entry: Row) -> Row:
    """A send as the Cloud API's log has it, in the words of the simulator's."""
    message_id = int(entry["tracker"].split(":")[1])
    names = {"to": entry["to"], "text": entry["text"], "whatsapp_id": entry["wamid"]}
    return {"backend_message_id": message_id, **names}


def read_records(
    database: Database, stage: Stage, answered: list[Answered], received: list[Received]
) -> Records:
    """Everything, once all is settled."""
    counters = database.rows("SELECT name, value FROM counters")
    return Records(
        answered=answered,
        received=received,
        messages=database.rows(MESSAGES),
        customers=database.rows("SELECT id, phone, unread_count FROM customers ORDER BY id"),
        counters={row["name"]: row["value"] for row in counters},
        events=database.rows("SELECT id, type, data, created_at FROM events ORDER BY id"),
        whatsapp=read_whatsapp(stage),
    )
