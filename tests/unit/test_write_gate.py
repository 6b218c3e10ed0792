"""The turns of those who write to SQLite in one process."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from crm import write_gate
from crm.errors import DatabaseBusyError
from crm.write_gate import WriteGate
from tests.kit.waiting import eventually


@pytest.fixture
def gate() -> WriteGate[str]:
    return WriteGate[str]()


def waiting(gate: WriteGate[str]) -> int:
    return len(gate._waiting)


def ask(pool: ThreadPoolExecutor, gate: WriteGate[str], *, shares: bool) -> "Future[str | None]":
    """Ask for the turn on another thread, behind all who asked before."""
    before = waiting(gate)
    asked = pool.submit(gate.enter, shares=shares)
    eventually(lambda: waiting(gate) == before + 1)
    return asked


def test_one_is_inside_and_the_others_follow_in_the_order_of_asking(gate: WriteGate[str]) -> None:
    order: list[int] = []
    assert gate.enter(shares=False) is None

    def go(number: int) -> None:
        gate.enter(shares=False)
        order.append(number)
        gate.leave()

    threads = [threading.Thread(target=go, args=(number,)) for number in range(5)]
    for number, thread in enumerate(threads):
        thread.start()
        eventually(lambda number=number: waiting(gate) == number + 1)
    assert order == []
    gate.leave()
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]
    assert gate.enter(shares=False) is None  # free again


def test_what_was_begun_is_passed_on_to_whoever_shares_it(gate: WriteGate[str]) -> None:
    with ThreadPoolExecutor() as pool:
        gate.enter(shares=True)
        assert not gate.pass_on("begun")  # nobody waits
        asked = ask(pool, gate, shares=True)
        assert gate.pass_on("begun")
        assert asked.result() == "begun"
        gate.leave()


def test_nothing_is_passed_on_past_one_who_does_not_share(gate: WriteGate[str]) -> None:
    with ThreadPoolExecutor() as pool:
        gate.enter(shares=True)
        alone, sharing = ask(pool, gate, shares=False), ask(pool, gate, shares=True)
        assert not gate.pass_on("begun")
        gate.leave()
        assert alone.result() is None
        gate.leave()
        assert sharing.result() is None
        gate.leave()


def test_of_those_who_wait_too_long_a_few_go_on_and_the_rest_are_told_to_come_again(
    gate: WriteGate[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_gate, "PATIENCE", 0.01)
    with ThreadPoolExecutor(20) as pool:
        gate.enter(shares=False)
        asked = [pool.submit(gate.enter, shares=False) for _ in range(20)]
        eventually(lambda: sum(each.done() for each in asked) == 4)
        assert waiting(gate) == write_gate.MAX_WAITING_WRITERS
        refused = [each for each in asked if each.done()]
        for each in refused:
            with pytest.raises(DatabaseBusyError):
                each.result()
        for _ in range(write_gate.MAX_WAITING_WRITERS):
            gate.leave()
        assert [each.result() for each in asked if each not in refused] == [None] * 16
        gate.leave()


def test_a_turn_that_comes_as_one_gives_up_is_not_lost(gate: WriteGate[str]) -> None:
    """Whoever finds itself called at the last moment is inside."""
    gate.enter(shares=False)
    ticket = write_gate._Ticket[str](shares=True)
    gate._waiting.append(ticket)
    give_up: Callable[[write_gate._Ticket[str]], bool] = gate._give_up
    assert gate.pass_on("begun")
    assert not give_up(ticket)
    assert ticket.brought == "begun"
    gate.leave()
