"""Hints leave the process here, after the commit and off the caller's path.

One daemon thread per process sends jobs to Celery and events to the flask-sse channel. A caller
only puts them into a bounded queue, so a Redis that is away or frozen slows no request. What
cannot be sent is dropped: the rows are the truth, the sweep and the stream's reader find them.

The first hint after a silence leaves at once. Those that follow closely leave together, since a
round trip and a job cost the same for one message and for ten: events after `PAUSE`, which nobody
sees, jobs after `GATHER`, unless there are enough for a full one.
"""

import atexit
import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import orjson
import structlog
from celery import Celery
from redis import Redis

from crm.jobs import MOST_TOGETHER, Job, joined

log = structlog.get_logger(__name__)

QUEUE_SIZE = 20_000
BATCH = 200
PAUSE = 0.01
"""Seconds after each round in which the next one gathers."""
GATHER = 0.05
"""Seconds after jobs were sent in which the next ones gather."""
PAUSE_AFTER_FAILURE = 0.5
FLUSH_AT_EXIT = 2.0

Published = tuple[int, bytes]
"""An event's id and JSON."""
Errand = Callable[[], None]
"""Something else that talks to Redis and may get lost."""
Hint = Job | Published | Errand


def sse_message(event_id: int | None, document: bytes) -> bytes:
    """What flask-sse puts on its channel: the `data` of one server-sent event, and its `id`.

    What is no row of the log has none.
    """
    named = {} if event_id is None else {"id": event_id}
    return orjson.dumps({"data": orjson.Fragment(document), **named})


class Hints:
    """Sends jobs and events, each at most once, in the order of `send` calls."""

    def __init__(self) -> None:
        self._queue: queue.Queue[Hint] = queue.Queue(QUEUE_SIZE)
        self._thread: threading.Thread | None = None
        self._owner = 0
        self._lock = threading.Lock()
        self.send_jobs: Callable[[Sequence[Job]], None] = lambda jobs: None
        self.publish: Callable[[Sequence[Published]], None] = lambda events: None

    def init_app(self, *, celery: Celery, redis: "Redis[Any]", channel: str) -> None:
        """Bind to a Celery app and a Redis client whose calls time out quickly."""

        def send_jobs(jobs: Sequence[Job]) -> None:
            with celery.producer_pool.acquire(block=True, timeout=1) as producer:
                for job in joined(jobs):
                    celery.send_task(job.name, job.args, priority=job.priority, producer=producer)

        def publish(events: Sequence[Published]) -> None:
            pipeline = redis.pipeline(transaction=False)
            for event_id, document in events:
                pipeline.publish(channel, sse_message(event_id, document))
            pipeline.execute()

        self.send_jobs, self.publish = send_jobs, publish

    def send(self, jobs: Sequence[Job], events: Sequence[Published]) -> None:
        """Take jobs and events to be sent soon; never blocks or fails, drops what does not fit."""
        if not (jobs or events) or not self._has_thread():
            return
        try:
            for event in events:
                self._queue.put_nowait(event)
            for job in jobs:
                self._queue.put_nowait(job)
        except queue.Full:
            log.warning("hints_dropped", reason="queue full", waiting=self._queue.qsize())

    def run(self, errand: Errand) -> None:
        """Run something soon on the sending thread."""
        if self._has_thread():
            with suppress(queue.Full):
                self._queue.put_nowait(errand)

    def flush(self, timeout: float) -> bool:
        """Wait until all that was taken is sent; False when the time ran out first."""
        deadline = time.monotonic() + timeout
        while self._queue.unfinished_tasks and time.monotonic() < deadline:
            time.sleep(0.01)
        return not self._queue.unfinished_tasks

    def _has_thread(self) -> bool:
        """Whether there is one that sends; where not, it is started if that can be."""
        # A fork leaves the thread behind, so each process starts its own at its first hint.
        if self._owner == os.getpid():
            return True
        with self._lock:
            if self._owner != os.getpid():
                thread = threading.Thread(target=self._run, name="hints", daemon=True)
                try:
                    thread.start()
                except RuntimeError as error:  # at the limit of processes; the next hint tries
                    log.warning("hints_dropped", reason=repr(error))
                    return False
                self._thread, self._owner = thread, os.getpid()
                atexit.register(self.flush, FLUSH_AT_EXIT)
        return True

    def _run(self) -> None:
        kept: list[Job] = []
        jobs_again = 0.0
        while True:
            found = self._take(jobs_again - time.monotonic() if kept else None)
            jobs = kept + [item for item in found if isinstance(item, Job)]
            rest = [item for item in found if not isinstance(item, Job)]
            may_go = len(jobs) >= MOST_TOGETHER or time.monotonic() >= jobs_again
            jobs, kept = (jobs, []) if may_go else ([], jobs)
            try:
                self._send([*rest, *jobs])
            finally:
                for _ in range(len(rest) + len(jobs)):
                    self._queue.task_done()
            if jobs:
                jobs_again = time.monotonic() + GATHER
            time.sleep(PAUSE)

    def _take(self, patience: float | None) -> list[Hint]:
        """What waits, at most `BATCH`; for nothing at all it waits so many seconds, or for ever."""
        found: list[Hint] = []
        with suppress(queue.Empty):
            found.append(self._queue.get(timeout=None if patience is None else max(0, patience)))
            while len(found) < BATCH:
                found.append(self._queue.get_nowait())
        return found

    def _send(self, batch: Sequence[Hint]) -> None:
        events = [item for item in batch if isinstance(item, tuple)]
        jobs = [item for item in batch if isinstance(item, Job)]
        if events:
            self._try(lambda: self.publish(events), events=len(events))
        for errand in batch:
            if not isinstance(errand, tuple | Job):
                self._try(errand, errands=1)
        if jobs:
            self._try(lambda: self.send_jobs(jobs), jobs=len(jobs))

    def _try(self, errand: Errand, **carried: int) -> None:
        try:
            errand()
        except Exception as error:  # a hint: whatever the fault, the rows remain
            log.warning("hints_dropped", **carried, reason=repr(error))
            time.sleep(PAUSE_AFTER_FAILURE)


hints = Hints()
"""This process's sender; the factory binds it, tests replace its two callables."""
