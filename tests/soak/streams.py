"""Open inboxes: event streams that come back after each cut, and keep what they saw."""

import json
import threading
import time
from contextlib import suppress
from itertools import cycle

import httpx

from tests.soak.stage import Stage


class Inbox:
    """One browser: follows the stream over every cut, at the next web process each time.

    It remembers the ids in their order.
    """

    def __init__(self, stage: Stage, number: int) -> None:
        path = "/messages/events/stream"
        urls = [stage.stack.url(name, path) for name in stage.names("web")]
        first = number % len(urls)
        self._urls = cycle(urls[first:] + urls[:first])
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self.start = 0
        """The newest id when it opened first; what follows must be complete."""
        self.seen: list[int] = []
        self.resets = 0
        self.cuts = -1

    def open(self) -> None:
        """Open it, and wait until it has begun."""
        self._thread.start()
        deadline = time.monotonic() + 30
        while not self.start and time.monotonic() < deadline:
            time.sleep(0.05)

    def close(self) -> None:
        self._closing.set()

    @property
    def last(self) -> int:
        return self.seen[-1] if self.seen else self.start

    def _follow(self) -> None:
        while not self._closing.is_set():
            self.cuts += 1
            with suppress(httpx.HTTPError):
                self._read()
            self._closing.wait(0.5)

    def _read(self) -> None:
        headers = {"Last-Event-ID": str(self.last)} if self.start else {}
        timeout = httpx.Timeout(5.0, read=25.0)
        with httpx.stream(
            "GET", next(self._urls), headers=headers, timeout=timeout, trust_env=False
        ) as answer:
            if answer.status_code != 200:
                return
            event_id = 0
            for line in answer.iter_lines():
                if self._closing.is_set():
                    return
                if line.startswith("id: "):
                    event_id = int(line[4:])
                    self.start = self.start or event_id
                elif line.startswith("data: "):
                    self._take(event_id, line[6:])

    def _take(self, event_id: int, data: str) -> None:
        if json.loads(data)["type"] == "reset":
            self.resets += 1
        else:
            self.seen.append(event_id)


def find_faults(inboxes: list[Inbox], ids: list[int]) -> list[str]:
    """Where a stream differs from the event log: gaps, repeats, disorder, resets."""
    faults = []
    for number, inbox in enumerate(inboxes):
        due = [event_id for event_id in ids if event_id > inbox.start]
        # What was written after the log was read is another stream's or moment's matter.
        seen = [event_id for event_id in inbox.seen if not ids or event_id <= ids[-1]]
        if seen != due:
            missing = sorted(set(due) - set(seen))[:5]
            surplus = sorted(set(seen) - set(due))[:5]
            repeated = len(seen) - len(set(seen))
            in_order = seen == sorted(seen)
            faults.append(
                f"stream {number} (from {inbox.start}, {inbox.cuts} cuts): saw {len(seen)} "
                f"of {len(due)}, missing {missing}, surplus {surplus}, {repeated} repeats, "
                f"in order: {in_order}"
            )
        if inbox.resets:
            faults.append(f"stream {number}: {inbox.resets} resets")
    return faults
