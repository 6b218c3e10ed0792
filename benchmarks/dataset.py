"""A database of the size that the API document's targets are about, written in bulk."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, func, insert, select, update

from config.addresses import normalize_database_url
from crm import clock
from crm.models import Counter, CounterName, Customer, Direction, Dispatch, Message
from crm.phones import phone_key

BATCH = 5_000
LONG_CHATS = 10
"""Customers, the first ones, whose chats have `LONG_CHAT` messages; the others share the rest."""
LONG_CHAT = 1_000
MAPPED_ACK = 3
WORDS = (
    "hello order size blue jacket price please today tomorrow thanks invoice delivery address "
    "photo available colour when where still Saturday shop payment received sent 你好 谢谢 订单"
).split()
Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """How much there is. The same numbers give the same rows, but for their dates."""

    customers: int = 10_000
    messages: int = 200_000
    seed: int = 7

    def build(self, database_url: str) -> None:
        """Fill a migrated, empty database."""
        engine = create_engine(normalize_database_url(database_url))
        try:
            with engine.begin() as connection:
                self._fill(connection)
            _refresh_statistics(engine)
        finally:
            engine.dispose()

    def _fill(self, connection: Connection) -> None:
        if connection.scalar(select(func.count()).select_from(Customer)):
            raise SystemExit("The database to be measured must be empty and migrated.")
        chance = random.Random(self.seed)
        newest = clock.now() - timedelta(minutes=1)
        owners = self._owners(chance)
        last: dict[int, Row] = {}
        messages = list(self._messages(chance, owners, newest, last))
        for rows in _batches(self._customers(chance, newest, last)):
            connection.execute(insert(Customer), rows)
        for rows in _batches(iter(messages)):
            connection.execute(insert(Message), rows)
        for name, direction in (
            (CounterName.MESSAGES_RECEIVED, Direction.INBOUND),
            (CounterName.MESSAGES_SENT, Direction.OUTBOUND),
        ):
            total = sum(1 for row in messages if row["direction"] == direction)
            connection.execute(update(Counter).where(Counter.name == name).values(value=total))

    def _owners(self, chance: random.Random) -> list[int]:
        """Whose each message is: some long chats, the others about equal, well mixed."""
        long_chats = min(LONG_CHATS, self.customers - 1)
        owners = [1 + n % long_chats for n in range(min(long_chats * LONG_CHAT, self.messages))]
        rest = self.messages - len(owners)
        owners += [1 + long_chats + n % (self.customers - long_chats) for n in range(rest)]
        chance.shuffle(owners)
        return owners

    def _messages(
        self, chance: random.Random, owners: list[int], newest: datetime, last: dict[int, Row]
    ) -> Iterator[Row]:
        pause = timedelta(days=365) / len(owners)
        for number, owner in enumerate(owners):
            is_inbound = chance.random() < 0.5
            row = {
                "customer_id": owner,
                "direction": Direction.INBOUND if is_inbound else Direction.OUTBOUND,
                "content": " ".join(chance.choices(WORDS, k=chance.randint(2, 18))),
                "timestamp": newest - pause * (len(owners) - number),
                "ack": MAPPED_ACK,
                "whatsapp_id": f"3EB0{number:018X}",
                "dispatch": None if is_inbound else Dispatch.MAPPED,
                "attempts": 0 if is_inbound else 1,
            }
            last[owner] = row
            yield row

    def _customers(
        self, chance: random.Random, newest: datetime, last: dict[int, Row]
    ) -> Iterator[Row]:
        for number in range(1, self.customers + 1):
            phone = f"6012{number:07d}"
            message = last.get(number)
            active_at = message["timestamp"] if message else newest
            yield {
                "name": f"{chance.choice(('Amara', 'Daniel', 'Mei', 'Jonas', '小明'))} {number}",
                "phone": phone,
                "phone_key": phone_key(phone),
                "status": chance.choice(("new", "open", "waiting", "won", "lost")),
                "extra_fields": {},
                "photo_url": f"https://pps.whatsapp.net/v/{number}.jpg",
                "unread_count": 0,
                "last_message": message["content"] if message else None,
                "last_timestamp": message["timestamp"] if message else None,
                "active_at": active_at,
                "created_at": newest - timedelta(days=366),
                "updated_at": active_at,
            }


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


def _refresh_statistics(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
