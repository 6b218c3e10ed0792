"""Lanes: work that stays in order within a chat and runs at once across chats."""

import contextvars
import queue
import threading
import time
from collections.abc import Callable

import structlog

from gateway.store.lanes import DueChats

log = structlog.get_logger(__name__)

BATCH = 200
"""Chats looked up at once: one query feeds the threads for a while."""
ERROR_PAUSE = 1.0
LONGEST_SLEEP = 60.0
"""A look around once a minute, should a wake-up ever have been missed."""


class Lanes:
    """Gives each chat that has work to one thread at a time. Sleeps while there is none.

    `find(limit)` names the chats that are due, `handle(chat)` does some of a chat's work. What
    either raises is logged and tried again: the work is in the store, not here.
    """

    def __init__(
        self,
        name: str,
        find: Callable[[int], DueChats],
        *,
        handle: Callable[[str], None],
        threads: int,
    ) -> None:
        self._name = name
        self._find = find
        self._handle = handle
        self._queue: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._busy: set[str] = set()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._threads = [self._make_thread(self._dispatch, "dispatch")]
        self._threads += [self._make_thread(self._work, str(n)) for n in range(threads)]

    def _make_thread(self, target: Callable[[], None], suffix: str) -> threading.Thread:
        # The context carries the process name into log lines.
        run = contextvars.copy_context().run
        name = f"{self._name}-{suffix}"
        return threading.Thread(target=run, args=(target,), name=name, daemon=True)

    @property
    def busy(self) -> int:
        """Chats that have been handed out and are not done."""
        return len(self._busy)

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Say that there may be work. Call it after the commit that made the work."""
        self._wake.set()

    def stop(self, timeout: float) -> None:
        """Start nothing new, and give what is being done that many seconds."""
        self._stopping.set()
        self._wake.set()
        for _ in self._threads:
            self._queue.put("")
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, deadline - time.monotonic()))

    def _dispatch(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            pause = self._hand_out()
            self._wake.wait(LONGEST_SLEEP if pause is None else min(pause, LONGEST_SLEEP))

    def _hand_out(self) -> float | None:
        """Queue the chats that are due; returns the seconds until there may be more."""
        busy = self.busy
        if busy >= BATCH:
            return None  # A thread that runs out of work wakes us.
        try:
            due = self._find(BATCH + busy)
        except Exception:
            log.exception("lane_lookup_failed", lane=self._name)
            return ERROR_PAUSE
        for chat in due.chats:
            if chat not in self._busy:
                self._busy.add(chat)
                self._queue.put(chat)
        return due.pause

    def _work(self) -> None:
        while True:
            chat = self._queue.get()
            if self._stopping.is_set():
                return
            try:
                self._handle(chat)
            except Exception:
                log.exception("lane_work_failed", lane=self._name)
                self._stopping.wait(ERROR_PAUSE)
            self._busy.discard(chat)
            if self._queue.qsize() < len(self._threads):
                self._wake.set()
