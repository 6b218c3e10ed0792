"""Keeps one line to WhatsApp: dials, waits longer after each failure, stops where a person must."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import structlog

from gateway.backoff import pause_before
from gateway.clock import now
from gateway.drivers.base import DriverState, TemporaryError
from gateway.drivers.web import condition as conditions
from gateway.drivers.web.condition import Condition
from gateway.drivers.web.hearing import HEARINGS
from gateway.drivers.web.line import Line, LineError, Proto
from gateway.drivers.web.pairing import Round

log = structlog.get_logger(__name__)

SLOWER = 8
"""Times the pauses towards our own backend: 2 to 4 s at first, one to two minutes at most."""
LOOK = 1.0
RETURNS_ALONE = 60.0
"""Seconds that the library has for its own reconnect, before we dial anew."""
NOT_CONNECTED_PAUSE = 5.0


def slow_pause(tries: int) -> float:
    """Seconds before the next dial, after that many that failed."""
    return pause_before(tries) * SLOWER


@dataclass(slots=True)
class Call:
    """One line, and what has become of it."""

    line: Line
    round: Round = field(default_factory=Round)
    over: bool = False
    connected: bool = False
    paired: bool = False
    lost_at: float | None = None

    def is_lost(self, patience: float) -> bool:
        return self.lost_at is not None and time.monotonic() - self.lost_at > patience


class Connection:
    """`knock` tells cheaply whether WhatsApp can be reached; a failed dial costs a file handle."""

    def __init__(
        self,
        open_line: Callable[[], Line],
        *,
        knock: Callable[[], bool],
        on_event: Callable[[Proto], None],
        pause: Callable[[int], float],
        returns_alone: float = RETURNS_ALONE,
    ) -> None:
        self._open_line = open_line
        self._knock = knock
        self._on_event = on_event
        self._pause = pause
        self._returns_alone = returns_alone
        self._lock = threading.RLock()
        self._news = threading.Event()
        self._stopping = threading.Event()
        self._redial = False
        self._call: Call | None = None
        self._tries = 0
        self._was_connected = False
        self._told: DriverState | None = None
        self._thread: threading.Thread | None = None
        self.condition = conditions.STARTING

    def start(self, tell: Callable[[DriverState], None]) -> None:
        """`tell` is called on our own thread, again where it raised."""
        run = contextvars.copy_context().run
        self._thread = threading.Thread(
            target=run, args=(self._run, tell), name="whatsapp-connection", daemon=True
        )
        self._thread.start()

    def stop(self, timeout: float) -> None:
        self._stopping.set()
        self._news.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def line(self) -> Line:
        """The living line. Raises TemporaryError where there is none."""
        with self._lock:
            if self._call is None or self.condition.state is not DriverState.READY:
                raise TemporaryError("not connected", delay=NOT_CONNECTED_PAUSE)
            return self._call.line

    def current_line(self) -> Line:
        """The line, whatever its state. Raises LineError where there is none."""
        with self._lock:
            if self._call is None:
                raise LineError("not connected")
            return self._call.line

    def code(self) -> str | None:
        with self._lock:
            showing = self.condition.state is DriverState.NEED_QR and not self.condition.held
            return self._call.round.code() if self._call is not None and showing else None

    def redial(self) -> None:
        """Build the line anew, unless a person is needed first."""
        with self._lock:
            self._redial = not self.condition.held
        self._news.set()

    def resume(self) -> None:
        """A person asks: leave whatever holds us and connect, with a new code where one is due."""
        with self._lock:
            if self.condition.held:
                self._become(conditions.STARTING)
                self._tries = 0
            elif self._call is None:
                self._redial = True
        self._news.set()

    def _run(self, tell: Callable[[DriverState], None]) -> None:
        while not self._stopping.is_set():
            self._tell(tell)
            if self._is_held():
                self._wait(LOOK)
            elif self._tries and not self._can_reach():
                self._rest(tell)
            else:
                self._make_call(tell)

    def _is_held(self) -> bool:
        with self._lock:
            until = self.condition.until
            if until is not None and until <= now():
                self._become(conditions.STARTING)
            return self.condition.held

    def _can_reach(self) -> bool:
        try:
            return self._knock()
        except Exception:
            log.exception("knock_broke")
            return True

    def _make_call(self, tell: Callable[[DriverState], None]) -> None:
        call = Call(self._open_line())
        with self._lock:
            self._call, self._redial = call, False
        run = contextvars.copy_context().run
        threading.Thread(
            target=run, args=(self._carry, call), name="whatsapp-line", daemon=True
        ).start()
        while not self._is_finished(call):
            self._wait(LOOK)
            self._tell(tell)
        with self._lock:
            self._call = None
            self._settle(call)
            rests = not (self._redial or self.condition.held)
        call.line.hang_up()
        if rests:
            self._rest(tell)

    def _carry(self, call: Call) -> None:
        try:
            call.line.run(on_event=partial(self._hear, call), on_code=partial(self._show, call))
        except LineError as error:
            log.warning("whatsapp_line_ended", reason=str(error))
        except Exception:
            log.exception("whatsapp_line_broke")
        finally:
            call.over = True
            self._news.set()

    def _is_finished(self, call: Call) -> bool:
        with self._lock:
            ended = (
                call.over
                or call.is_lost(self._returns_alone)
                or (call.round.is_over() and not call.paired)
            )
            return ended or self._redial or self.condition.held or self._stopping.is_set()

    def _settle(self, call: Call) -> None:
        """Say what a finished call leaves behind."""
        if self.condition.held:
            return
        if call.round.is_begun() and not (call.paired or call.connected):
            self._become(conditions.NEEDS_PERSON)
            return
        self._was_connected = self._was_connected or call.connected
        self._tries = 0 if call.connected else self._tries
        if self.condition is not conditions.REFUSED:
            self._become(
                conditions.RECONNECTING if self._was_connected else conditions.UNREACHABLE_AT_START
            )

    def _rest(self, tell: Callable[[DriverState], None]) -> None:
        self._tell(tell)
        self._tries += 1
        give_up = time.monotonic() + self._pause(self._tries)
        while not self._stopping.is_set() and not self._redial:
            left = give_up - time.monotonic()
            if left <= 0:
                break
            self._wait(left)
        self._redial = False

    def _hear(self, call: Call, event: Proto) -> None:
        """Called on threads of Go: returns at once."""
        hearing = HEARINGS.get(event.DESCRIPTOR.name)
        if hearing is None:
            self._on_event(event)
            return
        with self._lock:
            if call is self._call and not self.condition.held:
                heard = hearing(event)
                call.connected = call.connected or heard.connected
                call.paired = call.paired or heard.paired
                call.lost_at = time.monotonic() if heard.lost else None
                self._become(heard.condition or self.condition)
        self._news.set()

    def _show(self, call: Call, code: str) -> None:
        with self._lock:
            if call is self._call and not self.condition.held:
                call.round.show(code)
                self._become(conditions.NEEDS_SCAN)
        self._news.set()

    def _become(self, condition: Condition) -> None:
        self.condition = condition

    def _wait(self, seconds: float) -> None:
        self._news.wait(seconds)
        self._news.clear()

    def _tell(self, tell: Callable[[DriverState], None]) -> None:
        state = self.condition.state
        if state is self._told:
            return
        try:
            tell(state)
        except Exception:
            log.exception("state_not_told")
        else:
            self._told = state
