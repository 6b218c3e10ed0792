"""When things last happened; survives a restart."""

from enum import StrEnum

from sqlalchemy import Connection, bindparam, insert, select, update

from gateway.store.tables import facts


class Fact(StrEnum):
    LAST_EVENT_AT = "last_event_at"
    LAST_ACK_AT = "last_ack_at"
    LAST_SENT_AT = "last_sent_at"
    FIRST_SENT_AT = "first_sent_at"
    """Of a driver that keeps a pace: when its number began."""


_CHANGE = update(facts).where(facts.c.name == bindparam("fact"))
_ADD = insert(facts)


def remember(connection: Connection, fact: Fact, value: float) -> None:
    known = connection.execute(_CHANGE, {"fact": fact, "value": value})
    if known.rowcount == 0:
        connection.execute(_ADD, {"name": fact, "value": value})


def recall(connection: Connection) -> dict[Fact, float | None]:
    """Every fact, None where it never happened."""
    rows = connection.execute(select(facts.c.name, facts.c.value)).all()
    known: dict[str, float] = {row.name: row.value for row in rows}
    return {fact: known.get(fact) for fact in Fact}
