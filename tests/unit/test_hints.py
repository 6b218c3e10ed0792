"""Hints: sent in order off the caller's path, dropped when full, never in the way."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from crm import hints as module
from crm.hints import Hints, sse_message
from crm.jobs import MOST_TOGETHER, Job, deliver_message


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


def test_a_fault_names_what_was_dropped_and_not_what_went_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "PAUSE_AFTER_FAILURE", 0)
    hints, sent = Hints(), list[object]()
    hints.send_jobs, hints.publish = sent.extend, sent.extend

    def fail() -> None:
        raise ConnectionError("Redis is away")

    with capture_logs() as lines:
        hints._send([(1, b"{}"), fail, deliver_message(1)])
    assert sent == [(1, b"{}"), deliver_message(1)]
    counts = [{name: line.get(name) for name in ("events", "jobs", "errands")} for line in lines]
    assert counts == [{"events": None, "jobs": None, "errands": 1}]


def test_a_thread_that_cannot_be_started_is_tried_again_with_the_next_hint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Seen to make a request fail after its commit, in a container at its limit of processes."""
    hints, sent = Hints(), list[Job]()
    hints.send_jobs = sent.extend

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with capture_logs() as lines, monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", refuse)
        hints.send([deliver_message(1)], [])
        hints.run(lambda: None)
    assert [line["event"] for line in lines] == ["hints_dropped"] * 2
    assert hints.flush(0), "what is dropped is not waited for"
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


def test_jobs_gather_behind_the_first_until_there_are_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "GATHER", 3600.0)
    hints, sent, told = Hints(), list[Job](), threading.Event()
    hints.send_jobs, hints.publish = sent.extend, lambda events: told.set()
    hints.send([deliver_message(0)], [])
    assert hints.flush(10)
    assert sent == [deliver_message(0)], "the first after a silence leaves at once"
    hints.send([deliver_message(number) for number in range(1, MOST_TOGETHER)], [(1, b"{}")])
    assert told.wait(10), "an event does not wait for jobs"
    assert len(sent) == 1 and not hints.flush(0)
    hints.send([deliver_message(MOST_TOGETHER)], [])
    assert hints.flush(10)
    assert sent == [deliver_message(number) for number in range(MOST_TOGETHER + 1)]


def test_jobs_that_stay_few_leave_when_their_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GATHER", 0.2)
    hints, sent = Hints(), list[Job]()
    hints.send_jobs = sent.extend
    for number in range(3):
        hints.send([deliver_message(number)], [])
    assert hints.flush(10)
    assert sent == [deliver_message(number) for number in range(3)]


def test_what_leaves_for_celery_is_joined() -> None:
    celery, hints = _Celery(), Hints()
    hints.init_app(celery=celery, redis=None, channel="x")  # type: ignore[arg-type]
    hints.send_jobs([deliver_message(1), deliver_message(2), deliver_message(3, priority=1)])
    published = [(name, args, options["priority"]) for name, args, options in celery.sent]
    assert published == [("messages.deliver", (1, 2), 0), ("messages.deliver", (3,), 3)]


class _Celery:
    """Where `send_task` only writes down."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, tuple[int, ...], dict[str, Any]]] = []
        self.producer_pool = self

    @contextmanager
    def acquire(self, **_: Any) -> Iterator[None]:
        yield

    def send_task(self, name: str, args: tuple[int, ...], **options: Any) -> None:
        self.sent.append((name, args, options))
