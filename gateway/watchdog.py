"""Finds a connection that says ready and is dead, and has the driver build it anew."""

import contextvars
import random
import threading
from collections.abc import Callable
from typing import Literal

import structlog

from gateway.clock import now
from gateway.drivers.base import Driver, DriverError, DriverState
from gateway.health import Health
from gateway.store.database import Store
from gateway.store.facts import Fact, recall
from gateway.store.sends import count_unproved

log = structlog.get_logger(__name__)

Answer = Literal["alive", "failed", "hung"]

ANSWER_WITHIN = 20.0
"""Seconds that a driver gets for a probe or a revival."""
FAILURES_ALLOWED = 1
MAX_HUNG = 4
"""Calls into the driver that never came back; with so many, no further one is made."""
LONGEST_REVIVE_PAUSE = 32
"""Intervals between two revivals: they double from 2 up to this."""
ACK_PATIENCE = 300.0
UNPROVED_MESSAGES, UNPROVED_CHATS = 5, 3
"""A phone that is switched off proves nothing; this many of several people do."""

NO_ANSWER = (
    "WhatsApp's connection looks alive but does not answer; the gateway keeps building it anew. "
    "If this lasts for more than a few minutes, look at the phone's and this machine's internet."
)
NO_RECEIPTS = (
    "Messages went out to several customers and WhatsApp has sent no receipt for any of them; "
    "the gateway builds the connection anew. Check on a phone whether they arrived."
)


class Watchdog:
    def __init__(
        self,
        store: Store,
        driver: Driver,
        *,
        health: Health,
        interval: float,
        answer_within: float = ANSWER_WITHIN,
    ) -> None:
        self._store = store
        self._driver = driver
        self._health = health
        self._interval = interval
        self._answer_within = answer_within
        self._stopping = threading.Event()
        self._look_now = threading.Event()
        self._calls: list[threading.Thread] = []
        self._failures = 0
        self._revivals = 0
        self._intervals_to_revival = 0
        self._trusted_at = now()

    def start(self) -> None:
        run = contextvars.copy_context().run
        threading.Thread(target=run, args=(self._run,), name="watchdog", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()
        self._look_now.set()

    def wake(self) -> None:
        """Look at once: the driver's state has changed."""
        self._look_now.set()

    def look(self) -> None:
        """Probe once, and draw the consequences."""
        if self._driver.state() is not DriverState.READY:
            # Nothing to disprove; the driver is at work on it, or a person has to be.
            self._failures = 0
            self._health.refresh()
            return
        answer = self._ask(self._driver.probe)
        if answer == "alive":
            self._believe()
            return
        self._failures += 1
        if answer == "hung" or self._failures > FAILURES_ALLOWED:
            self._disbelieve(NO_ANSWER)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._look_now.clear()
            try:
                self.look()
            except Exception:
                log.exception("watchdog_failed")
            self._look_now.wait(self._interval)

    def _believe(self) -> None:
        """It answers; yet what it sends may still go nowhere."""
        self._failures = 0
        if self._health.doubt:
            log.info("connection_lives_again", revivals=self._revivals)
            self._trusted_at = now()
            self._revivals = self._intervals_to_revival = 0
            self._health.trust()
        elif self._lacks_receipts():
            self._disbelieve(NO_RECEIPTS)
        else:
            self._health.refresh()

    def _lacks_receipts(self) -> bool:
        """Receipts used to come, and for a while none has, whatever was sent."""
        with self._store.reading() as connection:
            last_ack_at = recall(connection)[Fact.LAST_ACK_AT]
            if last_ack_at is None:
                return False
            messages, chats = count_unproved(
                connection,
                since=max(last_ack_at, self._trusted_at),
                until=now() - ACK_PATIENCE,
            )
        return messages >= UNPROVED_MESSAGES and chats >= UNPROVED_CHATS

    def _disbelieve(self, reason: str) -> None:
        if not self._health.doubt:
            log.error("connection_doubted", reason=reason)
        self._health.distrust(reason)
        if self._intervals_to_revival > 0:
            self._intervals_to_revival -= 1
            return
        self._revivals += 1
        pause = min(LONGEST_REVIVE_PAUSE, 2 ** min(self._revivals, 10))
        self._intervals_to_revival = max(1, round(pause * random.uniform(0.75, 1.0)))
        log.warning("connection_revival", number=self._revivals)
        self._ask(self._driver.revive)

    def _ask(self, call: Callable[[], None]) -> Answer:
        """Call the driver on a thread of its own: what is dead may never answer."""
        self._calls = [thread for thread in self._calls if thread.is_alive()]
        if len(self._calls) >= MAX_HUNG:
            return "hung"
        answers: list[Answer] = []

        def run() -> None:
            try:
                call()
            except DriverError as error:
                log.info("driver_does_not_answer", error=str(error))
                answers.append("failed")
            except Exception:
                log.exception("driver_broke")
                answers.append("failed")
            else:
                answers.append("alive")

        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(run,), name="probe", daemon=True)
        self._calls.append(thread)
        thread.start()
        thread.join(self._answer_within)
        return answers[0] if answers else "hung"
