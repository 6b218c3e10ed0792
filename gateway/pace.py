"""The pace of a real number: who may send now, and until when the others wait.

Counted from the store, so that a restart forgets nothing. Agents' replies are held back by the
gap of their chat and by the rate of the number only; bulk messages also by a part of that rate
kept free for replies, by the slow start of a fresh number, and by quiet hours.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from config.pace import PaceSettings, QuietHours
from gateway.clock import to_iso
from gateway.store.facts import Fact, recall, remember
from gateway.store.lanes import DueChats, find_due_chats
from gateway.store.sends import (
    BULK,
    REPLY,
    Send,
    change_send,
    count_departures,
    find_departures,
    find_last_departure,
    find_next,
)
from gateway.store.tables import SendState, sends

MINUTE, DAY = 60.0, 86_400.0
MOST_A_DAY = 100_000
BULK_SHARE = 0.75
"""Of the rate: the rest stays free, so that no campaign makes a customer wait for an answer."""


@dataclass(frozen=True, slots=True)
class Room:
    """How many sends may go now, and when the next one may."""

    free: int
    opens_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What the pace allows at one moment."""

    replies: Room
    bulk: Room
    per_minute: int
    bulk_per_day: int | None
    """None: no limit, the number is not fresh any more."""
    sent_last_minute: int
    fresh_until: float | None


class Pace:
    def __init__(self, settings: PaceSettings) -> None:
        self.settings = settings

    def look(self, connection: Connection, at: float) -> Allowance:
        """What may go at that time."""
        began = recall(connection)[Fact.FIRST_SENT_AT]
        day = 0 if began is None else max(0, int((at - began) // DAY))
        is_fresh = day < self.settings.fresh_days
        per_minute = self._rate(day)
        per_day = min(self.settings.fresh_per_day * 2**day, MOST_A_DAY) if is_fresh else None
        minute = find_departures(connection, since=at - MINUTE)
        bulk = [make_room(minute, max(1, int(per_minute * BULK_SHARE)), at=at, span=MINUTE)]
        if per_day is not None:
            today = find_departures(connection, since=at - DAY, limit=per_day)
            bulk.append(make_room(today, per_day, at=at, span=DAY))
        if quiet_until := find_quiet_end(self.settings.quiet_hours, at):
            bulk.append(Room(0, quiet_until))
        return Allowance(
            replies=make_room(minute, per_minute, at=at, span=MINUTE),
            bulk=Room(min(room.free for room in bulk), max(room.opens_at for room in bulk)),
            per_minute=per_minute,
            bulk_per_day=per_day,
            sent_last_minute=len(minute),
            fresh_until=(began or at) + self.settings.fresh_days * DAY if is_fresh else None,
        )

    def find_due(self, connection: Connection, at: float, *, limit: int, busy: int) -> DueChats:
        """The chats that may send now, no more than there is room for; replies first."""
        allowed = self.look(connection, at)
        if not allowed.replies.free:
            return DueChats([], allowed.replies.opens_at - at)
        due = find_due_chats(
            connection,
            sends,
            state=SendState.QUEUED,
            at=at,
            # The busy ones are found, too, and must not stand in the way of the others.
            limit=min(limit, allowed.replies.free + busy),
            only=None if allowed.bulk.free else sends.c.priority <= REPLY,
        )
        if allowed.bulk.free:
            return due
        pauses = [allowed.bulk.opens_at - at, *([] if due.pause is None else [due.pause])]
        return DueChats(due.chats, min(pauses))

    def choose(self, connection: Connection, chat: str, at: float) -> Send | None:
        """The chat's next send, if it may go now. A reply overtakes bulk that is held back."""
        allowed = self.look(connection, at)
        if not allowed.replies.free:
            return None
        send = find_next(connection, chat, lowest=BULK if allowed.bulk.free else REPLY)
        if send is None or send.due_at > at:
            return None
        gap = self.settings.chat_gap
        last = find_last_departure(connection, chat, since=at - gap)
        if last is not None:
            change_send(connection, send.id, due_at=last + gap)
            return None
        if recall(connection)[Fact.FIRST_SENT_AT] is None:
            remember(connection, Fact.FIRST_SENT_AT, at)
        return send

    def describe(self, connection: Connection, at: float) -> dict[str, object]:
        """The limits as they are now, what has been sent, and until when the next send waits."""
        allowed, quiet = self.look(connection, at), self.settings.quiet_hours
        replies, bulk, fresh = allowed.replies, allowed.bulk, allowed.fresh_until
        return {
            "chat_gap": self.settings.chat_gap,
            "per_minute": allowed.per_minute,
            "bulk_per_day": allowed.bulk_per_day,
            "quiet_hours": quiet and f"{quiet.starts:%H:%M}-{quiet.ends:%H:%M} {quiet.zone.key}",
            "fresh_until": None if fresh is None else to_iso(fresh),
            "sent_last_minute": allowed.sent_last_minute,
            "sent_last_day": count_departures(connection, since=at - DAY),
            "replies_wait_until": None if replies.free else to_iso(replies.opens_at),
            "bulk_waits_until": None if bulk.free else to_iso(bulk.opens_at),
        }

    def _rate(self, day: int) -> int:
        """Sends a minute: half of it on the first day of a fresh number, growing to the whole."""
        days = self.settings.fresh_days
        grown = 1.0 if day >= days else 0.5 + 0.5 * day / days
        return max(1, int(self.settings.per_minute * grown))


def make_room(departures: list[float], most: int, *, at: float, span: float) -> Room:
    """What is left of a limit over a span, given when sends went out, the newest first."""
    used = len(departures)
    if used < most:
        return Room(most - used, at)
    return Room(0, departures[most - 1] + span)


def find_quiet_end(quiet: QuietHours | None, at: float) -> float | None:
    """When the quiet hours that hold at that time end; None outside of them."""
    if quiet is None:
        return None
    local = datetime.fromtimestamp(at, quiet.zone)
    clock = local.time()
    over_midnight = quiet.starts > quiet.ends
    if over_midnight:
        is_quiet = clock >= quiet.starts or clock < quiet.ends
    else:
        is_quiet = quiet.starts <= clock < quiet.ends
    if not is_quiet:
        return None
    last_day = local.date() + timedelta(days=over_midnight and clock >= quiet.starts)
    return datetime.combine(last_day, quiet.ends, quiet.zone).astimezone(UTC).timestamp()
