"""Hints: sent in order off the caller's path, dropped when full, never in the way."""

import threading

import pytest
from structlog.testing import capture_logs

from crm import hints as module
from crm.hints import Hints, sse_message
from crm.jobs import Job, check_accepted, deliver_message, joined
from tests.kit.waiting import eventually


def test_events_go_before_jobs_and_each_in_their_order() -> None:
    sent: list[object] = []
    hints = Hints()
    hints.send_jobs, hints.publish = sent.extend, sent.extend
    hints.send([deliver_message(1), deliver_message(2)], [(1, b"{}"), (2, b"{}")])
    assert hints.flush(10)
    assert sent == [(1, b"{}"), (2, b"{}"), deliver_message(1), deliver_message(2)]


def test_a_full_queue_drops_and_blocks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUEUE_SIZE", 3)
    hints, go_on, taken = Hints(), threading.Event(), threading.Event()
    sent: list[Job] = []

    def send_slowly(jobs: list[Job]) -> None:
        taken.set()
        assert go_on.wait(10)
        sent.extend(jobs)

    hints.send_jobs = send_slowly  # type: ignore[assignment]
    hints.send([deliver_message(0)], [])
    assert taken.wait(10)
    with capture_logs() as lines:
        for number in range(1, 9):
            hints.send([deliver_message(number)], [])
            hints.run(lambda: None)
    assert {line["reason"] for line in lines} == {"queue full"}
    assert not hints.flush(0)
    go_on.set()
    assert hints.flush(10)
    assert 0 < len(sent) < 9


def test_a_fault_loses_one_batch_and_not_the_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE_AFTER_FAILURE", 0)
    hints = Hints()

    def fail(jobs: object) -> None:
        raise ConnectionError("Redis is away")

    hints.send_jobs = fail
    with capture_logs() as lines:
        hints.send([deliver_message(1)], [])
        assert hints.flush(10)
    assert [line["event"] for line in lines] == ["hints_dropped"]
    sent: list[Job] = []
    hints.send_jobs = sent.extend
    hints.send([deliver_message(2)], [])
    assert hints.flush(10)
    assert sent == [deliver_message(2)]


def test_nothing_to_send_starts_no_thread() -> None:
    before = threading.active_count()
    Hints().send([], [])
    assert threading.active_count() == before


def test_an_event_is_published_as_flask_sse_does() -> None:
    assert sse_message(7, b'{"type":"x"}') == b'{"data":{"type":"x"},"id":7}'
    assert sse_message(None, b'{"type":"x"}') == b'{"data":{"type":"x"}}'


def test_what_comes_after_a_silence_leaves_at_once_and_what_follows_leaves_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "GATHER", 0.2)
    rounds: list[list[Job]] = []
    hints = Hints()
    hints.send_jobs = lambda jobs: rounds.append(list(jobs))
    hints.send([deliver_message(1)], [])
    eventually(lambda: rounds == [[deliver_message(1)]])
    for number in (2, 3, 4):
        hints.send([deliver_message(number)], [])
    assert hints.flush(10)
    assert [len(jobs) for jobs in rounds] == [1, 3]


def test_deliveries_of_one_priority_become_few_jobs_in_their_order() -> None:
    replies = [deliver_message(number) for number in range(1, 11)]
    bulk = deliver_message(99, priority=1)
    alone = deliver_message(7, alone=True)
    sent = joined([replies[0], bulk, check_accepted(5), *replies[1:], alone, deliver_message(11)])
    assert [(job.name, job.args, job.priority) for job in sent] == [
        ("messages.check_accepted", (5,), 0),
        ("messages.deliver", (7,), 0),
        ("messages.deliver", tuple(range(1, 11)), 0),
        ("messages.deliver", (11,), 0),
        ("messages.deliver", (99,), 3),
    ]
