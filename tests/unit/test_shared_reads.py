"""Those who ask for the same share one read, which began after they had asked."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from crm.api import shared_reads
from crm.api.shared_reads import SharedReads
from tests.kit.waiting import eventually

LIST = "list"
FOLLOWERS = 3
Read = Callable[[], str]


class Room:
    """One who leads a read, and others who ask before it begins."""

    def __init__(self) -> None:
        self.reads: SharedReads[str] = SharedReads()
        self.begun: list[str] = []
        self.followers: list[Future[str]] = []
        self.may_share = True

    def ask(self, read: Read, what: str = LIST) -> str:
        return self.reads.share(what, read, may_share=lambda _: self.may_share)

    def read(self, name: str) -> Read:
        def read() -> str:
            self.begun.append(name)
            return f"found by {name}"

        return read


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Room:
    """Where the first read lets `FOLLOWERS` others ask before it begins."""
    room, pool = Room(), ThreadPoolExecutor(FOLLOWERS)

    def let_others_ask() -> None:
        if room.followers:
            return
        for number in range(FOLLOWERS):
            room.followers.append(pool.submit(room.ask, room.read(f"follower {number}")))
        eventually(lambda: room.reads._gathering[LIST].waiting == FOLLOWERS)

    monkeypatch.setattr(shared_reads, "_let_others_ask", let_others_ask)
    return room


def test_all_who_asked_before_a_read_get_what_it_found(room: Room) -> None:
    assert room.ask(room.read("first")) == "found by first"
    assert [follower.result(10) for follower in room.followers] == ["found by first"] * FOLLOWERS
    assert room.begun == ["first"]


def test_who_asks_once_it_has_begun_is_not_told_what_it_found(room: Room) -> None:
    later: list[str] = []

    def read() -> str:
        later.append(room.ask(room.read("later")))
        return "before"

    assert room.ask(read) == "before"
    assert later == ["found by later"]


def test_who_asks_for_something_else_reads_it(room: Room) -> None:
    room.ask(room.read("first"))
    assert room.ask(room.read("other"), "other list") == "found by other"


def test_a_failure_is_found_out_by_each(room: Room) -> None:
    def fail() -> str:
        raise LookupError("no such list")

    with pytest.raises(LookupError):
        room.ask(fail)
    found = {follower.result(10) for follower in room.followers}
    assert found == {f"found by follower {number}" for number in range(FOLLOWERS)}


def test_what_one_alone_may_have_is_found_by_each(room: Room) -> None:
    room.may_share = False
    assert room.ask(room.read("first")) == "found by first"
    assert len({follower.result(10) for follower in room.followers}) == FOLLOWERS


def test_nobody_is_left_waiting_by_one_who_was_stopped(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop() -> None:
        raise SystemExit

    gather = shared_reads._let_others_ask
    monkeypatch.setattr(shared_reads, "_let_others_ask", lambda: (gather(), stop()))
    with pytest.raises(SystemExit):
        room.ask(room.read("stopped"))
    monkeypatch.setattr(shared_reads, "_let_others_ask", lambda: None)
    assert all(follower.result(10) for follower in room.followers)
    assert room.ask(room.read("next")) == "found by next"


def test_many_threads_are_never_told_what_was_true_before_they_asked() -> None:
    reads: SharedReads[int] = SharedReads()
    lock, changes = threading.Lock(), 0

    def change_and_ask(_: int) -> bool:
        nonlocal changes
        with lock:
            changes += 1
            mine = changes
        return reads.share(LIST, lambda: changes, may_share=lambda _: True) >= mine

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(change_and_ask, range(4000)))
