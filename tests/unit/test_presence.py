"""Who is there, and what the others are told of it: rules without Redis and without waiting."""

from datetime import datetime, timedelta

import pytest

from crm import clock
from crm.presence import (
    MOST_PRESENT,
    RETELL,
    RETELL_TYPING,
    STAYS,
    TYPES,
    Entries,
    Entry,
    PresenceState,
    move,
)

START = datetime(2026, 1, 1, 12)
VIEWING, TYPING = PresenceState.VIEWING, PresenceState.TYPING
MIA = {"kind": "agent", "id": 1, "name": "Mia"}
NOA = {"kind": "agent", "id": 2, "name": "Noa"}


class Chat:
    """One chat's entries, and what was told, with a clock that the test moves."""

    def __init__(self) -> None:
        self.entries: Entries = {}
        self.seconds = 0.0
        self.told: Entries = {}

    def wire(self, after: timedelta = timedelta(0)) -> str:
        return clock.to_wire(START + timedelta(seconds=self.seconds) + after)

    def say(
        self, state: PresenceState, client_id: str = "a", *, agent: dict[str, object] = MIA
    ) -> bool:
        entry = Entry(
            client_id=client_id,
            agent=agent,
            expires_at=self.wire(STAYS),
            typing_until=self.wire(TYPES) if state == TYPING else None,
            told_at=self.wire(),
        )
        stays = state != PresenceState.AWAY
        self.entries, is_news = move(self.entries, entry, stays=stays)
        if is_news:
            self.told = self.entries
        return is_news

    def states(self, entries: Entries) -> dict[str, str]:
        """By client, as a page shows them that drops what has expired by its own clock."""
        now = self.wire()
        shown = [entry.shown(now) for entry in entries.values() if entry.expires_at > now]
        return {each["client_id"]: each["state"] for each in shown}


def test_who_comes_types_stops_and_goes_is_told_each_time() -> None:
    chat = Chat()
    for state in (VIEWING, TYPING, VIEWING, PresenceState.AWAY):
        chat.seconds += 1
        assert chat.say(state)
    assert chat.entries == {}
    assert not chat.say(PresenceState.AWAY)


def test_typing_ends_by_itself_and_then_presence() -> None:
    chat = Chat()
    chat.say(TYPING)
    chat.seconds = TYPES.total_seconds() - 0.001
    assert chat.states(chat.told) == {"a": "typing"}
    chat.seconds = TYPES.total_seconds()
    assert chat.states(chat.told) == {"a": "viewing"}
    assert not chat.say(VIEWING), "the others know it by their own clock"
    chat.seconds += STAYS.total_seconds()
    assert chat.states(chat.entries) == {}
    assert chat.say(VIEWING)


@pytest.mark.parametrize(
    ("state", "every", "retell"), [(VIEWING, 20, RETELL), (TYPING, 4, RETELL_TYPING)]
)
def test_who_stays_is_told_seldom_and_never_forgotten(
    state: PresenceState, every: int, retell: timedelta
) -> None:
    """As a page does it: it says so every few seconds, never quite on time."""
    chat, told = Chat(), 0
    for turn in range(200):
        chat.seconds = turn * (every - 0.1)
        if turn:
            assert chat.states(chat.told) == {"a": str(state)}
        told += chat.say(state)
        assert chat.states(chat.entries) == {"a": str(state)}
    assert told <= chat.seconds / retell.total_seconds() + 1


def test_what_is_told_tells_of_all_so_that_nobody_is_told_twice() -> None:
    chat = Chat()
    chat.say(VIEWING, "a")
    chat.seconds = 15
    chat.say(VIEWING, "b", agent=NOA)
    chat.seconds = 21
    assert not chat.say(VIEWING, "a")
    assert chat.states(chat.told) == {"a": "viewing", "b": "viewing"}


def test_an_agent_speaks_for_no_others_browser() -> None:
    chat = Chat()
    chat.say(VIEWING, "same", agent=MIA)
    assert not chat.say(PresenceState.AWAY, "same", agent=NOA)
    assert len(chat.entries) == 1


def test_a_chat_holds_only_so_many() -> None:
    chat = Chat()
    for number in range(MOST_PRESENT + 5):
        chat.say(VIEWING, str(number))
    assert list(chat.states(chat.entries)) == [str(number) for number in range(MOST_PRESENT)]
    assert chat.say(TYPING, "0")
