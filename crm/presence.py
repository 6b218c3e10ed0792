"""Who looks at which chat right now: kept in Redis only, a hint that ends by itself.

One value for each customer holds an entry for each browser. None of it is a row, or an event of the
log: to lose it costs some seconds of not knowing.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import orjson
import structlog
from redis import Redis
from redis.exceptions import RedisError

from crm import clock
from crm.events import PresenceChanged
from crm.hints import hints, sse_message

log = structlog.get_logger(__name__)

STAYS = timedelta(seconds=45)
TYPES = timedelta(seconds=10)
"""Whoever says no more is taken for gone after `STAYS`, for not typing any more after `TYPES`."""
RETELL, RETELL_TYPING = timedelta(seconds=20), timedelta(seconds=4)
"""How often the others are told that somebody is still there, is still typing."""
MOST_PRESENT = 50
TRIES_FOR = 0.5
"""Seconds after which no further try begins, be Redis slow or the chat full of others."""
LOOK_EVERY = 1.0
# Not WATCH: a Redis that freezes between it and EXEC costs redis-py a second wait, and a connection
# that the pool never gets back.
SWAP = """
local key, known, chat, stays, channel, news = KEYS[1], unpack(ARGV)
if (redis.call('GET', key) or '') ~= known then return 0 end
if chat == '' then redis.call('DEL', key) else redis.call('SET', key, chat, 'EX', stays) end
if news ~= '' then redis.call('PUBLISH', channel, news) end
return 1
"""
"""Stores and tells at once, if the value is still the one that was read; else does nothing."""


class PresenceState(StrEnum):
    """What a browser says of itself; of others it is told the first two."""

    VIEWING = "viewing"
    TYPING = "typing"
    AWAY = "away"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One browser in one chat. `told_at` is when the others last heard of it."""

    client_id: str
    agent: dict[str, Any]
    expires_at: str
    typing_until: str | None
    told_at: str

    def key(self) -> str:
        """An agent cannot speak for another one's browser."""
        return f"{self.agent['kind']} {self.agent['id']} {self.client_id}"

    def is_typing(self, now: str) -> bool:
        return self.typing_until is not None and self.typing_until > now

    def shown(self, now: str) -> dict[str, Any]:
        """What the page gets."""
        typing = self.is_typing(now)
        return {
            "client_id": self.client_id,
            "agent": self.agent,
            "state": str(PresenceState.TYPING if typing else PresenceState.VIEWING),
            "typing_until": self.typing_until if typing else None,
            "expires_at": self.expires_at,
        }


Entries = dict[str, Entry]
"""By key, in order of arrival. Times are those of the wire, which sort as they stand."""


def move(entries: Mapping[str, Entry], new: Entry, *, stays: bool) -> tuple[Entries, bool]:
    """The chat after a browser has spoken, and whether the others are to be told.

    They know by their own clock what has expired, so that alone is no news.
    """
    now = new.told_at
    present = {key: entry for key, entry in entries.items() if entry.expires_at > now}
    before = present.get(new.key())
    if not stays:
        present.pop(new.key(), None)
        is_news = before is not None
    elif before is None and len(present) >= MOST_PRESENT:
        return present, False
    else:
        present[new.key()] = new
        is_news = before is None or _is_news(before, new)
        if before and not is_news:
            present[new.key()] = replace(new, told_at=before.told_at)
    if is_news:  # it tells of all
        present = {key: replace(entry, told_at=now) for key, entry in present.items()}
    return present, is_news


def _is_news(before: Entry, new: Entry) -> bool:
    now = new.told_at
    typing = new.is_typing(now)
    retell = RETELL_TYPING if typing else RETELL
    told_at = datetime.fromisoformat(before.told_at)
    return before.is_typing(now) != typing or datetime.fromisoformat(now) >= told_at + retell


class PresenceBoard:
    """Every chat's entries in Redis; alone with oneself while Redis is away."""

    def __init__(self) -> None:
        self._answers = True
        self._look_at = 0.0
        self._has_complained = False

    def init_app(self, *, redis: "Redis[Any]", channel: str, prefix: str) -> None:
        """Bind to a Redis client whose calls time out quickly."""
        self._redis, self._channel, self._prefix = redis, channel, f"{prefix}presence:"
        self._evaluate: Callable[..., int] = redis.eval
        self._answers = True

    def note(
        self, customer_id: int, state: PresenceState, *, client_id: str, agent: dict[str, Any]
    ) -> PresenceChanged:
        """A browser comes, stays, types or goes; returns who is there then."""
        moment = clock.now()
        new = Entry(
            client_id=client_id,
            agent=agent,
            expires_at=clock.to_wire(moment + STAYS),
            typing_until=clock.to_wire(moment + TYPES) if state == PresenceState.TYPING else None,
            told_at=clock.to_wire(moment),
        )
        stays = state != PresenceState.AWAY
        if self._is_reachable():
            try:
                told = self._store(customer_id, new, stays=stays)
            except (RedisError, OSError) as error:
                self._give_up(error)
            else:
                self._has_complained = False
                return told
        return _told(customer_id, {new.key(): new} if stays else {}, new.told_at)

    def forget(self, customer_id: int) -> None:
        """Nobody looks at a customer that is erased; soon, and off the caller's path."""
        hints.run(lambda: self._delete(customer_id))

    def _store(self, customer_id: int, new: Entry, *, stays: bool) -> PresenceChanged:
        """Read and write as one step, the news in the same: what comes last is true."""
        key, give_up = self._key(customer_id), time.monotonic() + TRIES_FOR
        while time.monotonic() < give_up:
            known: Any = self._redis.get(key) or b""
            present, is_news = move(_read(known), new, stays=stays)
            told = _told(customer_id, present, new.told_at)
            chat = _written(present) if present else b""
            news = sse_message(None, told.to_json()) if is_news else b""
            seconds = int(STAYS.total_seconds())
            if self._evaluate(SWAP, 1, key, known, chat, seconds, self._channel, news):
                return told
        raise TimeoutError("others were faster each time")

    def _delete(self, customer_id: int) -> None:
        self._redis.delete(self._key(customer_id))

    def _key(self, customer_id: int) -> str:
        return f"{self._prefix}{customer_id}"

    def _give_up(self, error: Exception) -> None:
        self._answers = False
        if not self._has_complained:  # once, until something is stored again
            self._has_complained = True
            log.warning("presence_unknown", reason=repr(error))

    def _is_reachable(self) -> bool:
        """Whether Redis answered last; where not, it is asked again beside the requests."""
        if not self._answers and time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + LOOK_EVERY
            hints.run(self._look)
        return self._answers

    def _look(self) -> None:
        with suppress(RedisError, OSError):
            self._answers = bool(self._redis.ping())


def _told(customer_id: int, present: Entries, now: str) -> PresenceChanged:
    shown = [entry.shown(now) for entry in present.values()]
    return PresenceChanged(customer_id=customer_id, at=now, present=shown)


def _written(present: Entries) -> bytes:
    return orjson.dumps([asdict(entry) for entry in present.values()])


def _read(value: bytes) -> Entries:
    """What an earlier or later release wrote otherwise is nobody's presence."""
    try:
        entries = [Entry(**fields) for fields in orjson.loads(value or b"[]")]
        return {entry.key(): entry for entry in entries}
    except (ValueError, TypeError, KeyError):
        return {}


presence = PresenceBoard()
"""This process's way to the board; the factory binds it."""
