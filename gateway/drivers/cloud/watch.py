"""Whether WhatsApp takes us: asked at start, and again while it does not."""

import contextvars
import random
import threading
from collections.abc import Callable

import structlog

from gateway.drivers.base import DriverState, PermanentError, TemporaryError
from gateway.drivers.cloud.codes import PHONE_UNKNOWN
from gateway.drivers.cloud.faults import AccountError

log = structlog.get_logger(__name__)

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
REFUSED_PAUSE = 60.0
"""A new token needs a restart, but permissions and payments may be put right at Meta's side."""
BANNED_PAUSE = 900.0
"""A blocked account still answers what we ask of it; only the next send can tell."""
UNREACHABLE = "WhatsApp cannot be reached; check this machine's way to the internet."


class Watch:
    """One thread, which sleeps while all is well."""

    def __init__(self, ask: Callable[[], object]) -> None:
        self._ask = ask
        self._report: Callable[[DriverState], None] | None = None
        self._due = threading.Event()
        self._stopping = threading.Event()
        self._pause = FIRST_PAUSE
        self.state = DriverState.STARTING
        self.advice: str | None = None

    def start(self, report: Callable[[DriverState], None]) -> None:
        self._report = report
        run = contextvars.copy_context().run
        threading.Thread(target=run, args=(self._run,), name="watch", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()
        self._due.set()

    def look_again(self) -> None:
        """Ask now, whatever we believe."""
        self._pause = FIRST_PAUSE
        self._change(DriverState.STARTING, None)
        self._due.set()

    def refused(self, error: AccountError) -> None:
        """Told by WhatsApp, at whatever we asked of it, that it takes nothing from us."""
        self._pause = BANNED_PAUSE if error.state is DriverState.BANNED else REFUSED_PAUSE
        if (self.state, self.advice) != (error.state, error.reason):
            # One line that says what to do, for whoever looks at the console.
            log.error("whatsapp_refuses_us", code=error.code, advice=error.reason)
        self._change(error.state, error.reason)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._due.clear()
            self._look()
            ready = self.state is DriverState.READY
            self._due.wait(REFUSED_PAUSE if ready else self._pause * random.uniform(0.5, 1.0))

    def _look(self) -> None:
        if self.state is DriverState.READY:
            return
        try:
            self._ask()
        except AccountError as error:
            self.refused(error)
        except PermanentError as error:
            self.refused(AccountError(error.code, PHONE_UNKNOWN, state=DriverState.LOGGED_OUT))
        except TemporaryError as error:
            log.warning("whatsapp_unreachable", reason=str(error))
            self._pause = min(LONGEST_PAUSE, self._pause * 2)
            self._change(DriverState.STARTING, UNREACHABLE)
        except Exception:
            log.exception("watch_broke")
        else:
            self._pause = FIRST_PAUSE
            self._change(DriverState.READY, None)

    def _change(self, state: DriverState, advice: str | None) -> None:
        before, self.state, self.advice = self.state, state, advice
        if state is not before and self._report is not None and not self._stopping.is_set():
            self._report(state)
