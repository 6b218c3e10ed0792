"""Things that happen later, on one thread that sleeps in between."""

import contextvars
import sched
import threading
import time
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)

Action = Callable[[], None]
RETRY_PAUSE = 1.0
LONGEST_SLEEP = 60.0


class Timeline:
    """Runs actions in order of their time. One that raises is logged and tried again."""

    def __init__(self) -> None:
        self._scheduler = sched.scheduler(time.monotonic)
        self._changed = threading.Event()
        self._stopping = threading.Event()

    def start(self) -> None:
        run = contextvars.copy_context().run
        threading.Thread(target=run, args=(self._run,), name="timeline", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()
        self._changed.set()

    def after(self, seconds: float, action: Action) -> None:
        self._scheduler.enter(seconds, 0, self._perform, (action,))
        self._changed.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._changed.clear()
            pause = self._scheduler.run(blocking=False)
            self._changed.wait(LONGEST_SLEEP if pause is None else min(pause, LONGEST_SLEEP))

    def _perform(self, action: Action) -> None:
        if self._stopping.is_set():
            return
        try:
            action()
        except Exception:
            log.exception("pretend_event_failed")
            self.after(RETRY_PAUSE, action)
