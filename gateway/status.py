"""`GET /status`: the truth about the connection and the queues; no text, no phone."""

from dataclasses import asdict

from sqlalchemy import Connection

from gateway.clock import now, to_iso
from gateway.drivers.base import Driver
from gateway.health import Health
from gateway.notices import state_fields
from gateway.pace import Pace
from gateway.store import callbacks, facts, media, sends, updates
from gateway.store.database import Store
from gateway.store.facts import Fact
from gateway.store.tables import CallbackState, UpdateState

DEAD_LETTERS_SHOWN = 5
AGES = {
    "last_event_age": Fact.LAST_EVENT_AT,
    "last_ack_age": Fact.LAST_ACK_AT,
    "last_sent_age": Fact.LAST_SENT_AT,
}


def read_status(
    store: Store, driver: Driver, *, health: Health, pace: Pace | None
) -> dict[str, object]:
    """The seed's fields and the honest detail; ages are seconds, null where it never happened."""
    at = now()
    with store.reading() as connection:
        return {
            **state_fields(health.state()),
            "advice": health.advice(),
            "since": to_iso(health.since),
            "driver": driver.name,
            **_read_moments(connection, at),
            "queue": sends.count_open(connection),
            "callbacks": _read_callbacks(connection),
            "media": media.count_media(connection),
            "updates": _read_updates(connection),
            "pace": None if pace is None else pace.describe(connection, at),
        }


def _read_moments(connection: Connection, at: float) -> dict[str, object]:
    known = facts.recall(connection)
    moments = {fact.value: known[fact] for fact in AGES.values()}
    ages = {name: known[fact] for name, fact in AGES.items()}
    return {
        **{name: None if moment is None else to_iso(moment) for name, moment in moments.items()},
        **{
            name: None if moment is None else round(max(0.0, at - moment), 1)
            for name, moment in ages.items()
        },
    }


def _read_updates(connection: Connection) -> dict[str, int]:
    kept = updates.count_updates(connection)
    return {state.value: kept[state] for state in (UpdateState.PENDING, UpdateState.UNREADABLE)}


def _read_callbacks(connection: Connection) -> dict[str, object]:
    counts = callbacks.count_callbacks(connection)
    dead = callbacks.find_dead_letters(connection, limit=DEAD_LETTERS_SHOWN)
    return {
        "pending": counts[CallbackState.PENDING],
        "dead": counts[CallbackState.DEAD],
        "dead_letters": [asdict(letter) for letter in dead],
    }
