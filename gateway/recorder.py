"""Events of the driver, stored as callbacks before the driver may forget them."""

from collections.abc import Callable

import structlog
from sqlalchemy import Connection

from gateway.clock import now
from gateway.drivers.base import DriverState
from gateway.drivers.events import Event, Failure, Inbound, Picture, Receipt
from gateway.media import register_file, register_picture
from gateway.notices import inbox_notice, photo_notice
from gateway.receipts import record_failure, record_receipt
from gateway.store.callbacks import Callback, add_callback
from gateway.store.database import Store
from gateway.store.facts import Fact, remember
from gateway.store.updates import add_update
from gateway.texts import make_keepable

log = structlog.get_logger(__name__)


class Recorder:
    """The event sink that drivers report to."""

    def __init__(
        self,
        store: Store,
        *,
        on_event: Callable[[], None],
        on_state: Callable[[], None],
        on_update: Callable[[], None],
    ) -> None:
        self._store = store
        self._on_event = on_event
        self._on_state = on_state
        self._on_update = on_update

    def inbound(self, event: Inbound) -> None:
        self._store_event(event)

    def picture(self, event: Picture) -> None:
        self._store_event(event)

    def receipt(self, event: Receipt) -> None:
        self._store_event(event)

    def failure(self, event: Failure) -> None:
        self._store_event(event)

    def update(self, raw: str) -> None:
        with self._store.transaction() as connection:
            add_update(connection, make_keepable(raw), at=now())
        self._on_update()

    def state_changed(self, state: DriverState) -> None:
        log.info("driver_state_changed", state=state)
        self._on_state()

    def _store_event(self, event: Event) -> None:
        with self._store.transaction() as connection:
            record_event(connection, event)
        self._on_event()


def record_event(connection: Connection, event: Event) -> None:
    """Write down all that an event means, in the caller's transaction."""
    remember(connection, Fact.LAST_EVENT_AT, now())
    match event:
        case Inbound():
            _tell(connection, inbox_notice(event, register_file(connection, event)))
        case Picture(media=None):
            _tell(connection, photo_notice(event))
        case Picture():
            register_picture(connection, event)  # told once the file is here
        case Receipt():
            record_receipt(connection, event)
        case Failure():
            record_failure(connection, event)


def _tell(connection: Connection, callback: Callback) -> None:
    add_callback(connection, callback, at=now())
    log.info("event_stored", kind=callback.path, request_id=callback.request_id)
