"""The state that is shown: what the driver says, unless the evidence is against it."""

import threading
from collections.abc import Callable

import structlog

from gateway.clock import now
from gateway.drivers.base import Driver, DriverState
from gateway.notices import status_notice
from gateway.store.callbacks import replace_callback
from gateway.store.database import Store

log = structlog.get_logger(__name__)

Shown = tuple[DriverState, str | None]


class Health:
    """Tells the backend of each change of the state that is shown."""

    def __init__(
        self,
        store: Store,
        driver: Driver,
        *,
        on_change: Callable[[], None],
        on_callback: Callable[[], None],
    ) -> None:
        self._store = store
        self._driver = driver
        self._on_change = on_change
        self._on_callback = on_callback
        self._lock = threading.Lock()
        self._doubt: str | None = None
        self._told: Shown | None = None
        self._last = driver.state()
        self.since = now()
        """When the state that is shown began."""

    @property
    def doubt(self) -> str | None:
        """Why a driver that says ready is not believed."""
        return self._doubt

    def state(self) -> DriverState:
        said = self._driver.state()
        return DriverState.DEGRADED if said is DriverState.READY and self._doubt else said

    def is_ready(self) -> bool:
        return self.state() is DriverState.READY

    def advice(self) -> str | None:
        """What a person should do, in one sentence; None: nothing."""
        said = self._driver.state()
        return self._doubt if said is DriverState.READY and self._doubt else self._driver.advice()

    def distrust(self, reason: str) -> None:
        """Show `degraded` while the driver says ready, until `trust`."""
        self._doubt = reason
        self.refresh()

    def trust(self) -> None:
        self._doubt = None
        self.refresh()

    def refresh(self) -> None:
        """Look at the state anew; a change is told. Never raises: what is owed is told later."""
        with self._lock:
            shown = (self.state(), self.advice())
            has_changed = shown[0] is not self._last
            if has_changed:
                log.info("state_changed", state=shown[0], before=self._last)
                self._last, self.since = shown[0], now()
            if shown != self._told:
                self._tell(shown)
        if has_changed:
            self._on_change()

    def _tell(self, shown: Shown) -> None:
        """Only the newest push is kept, whatever the backend has missed meanwhile."""
        state, advice = shown
        notice = status_notice(
            state, driver=self._driver.name, advice=advice, since=self.since, at=now()
        )
        try:
            with self._store.transaction() as connection:
                replace_callback(connection, notice, at=now())
        except Exception:
            log.exception("state_not_told")
            return
        self._told = shown
        self._on_callback()
