"""Events of the driver, stored as callbacks before the driver may forget them."""

from collections.abc import Callable

import structlog
from sqlalchemy import Connection

from gateway.clock import now
from gateway.drivers.base import DriverState
from gateway.drivers.events import ACK_READ, Failure, Inbound, Picture, Receipt
from gateway.media import register_file, register_picture
from gateway.notices import (
    ack_notice,
    inbox_notice,
    new_request_id,
    photo_notice,
    seen_notice,
)
from gateway.store.callbacks import Callback, add_callback
from gateway.store.database import Store
from gateway.store.facts import Fact, remember
from gateway.store.sends import find_by_whatsapp_id

log = structlog.get_logger(__name__)


class Recorder:
    """The event sink that drivers report to."""

    def __init__(
        self,
        store: Store,
        *,
        on_callback: Callable[[], None],
        on_state: Callable[[], None],
        on_media: Callable[[], None],
    ) -> None:
        self._store = store
        self._on_callback = on_callback
        self._on_state = on_state
        self._on_media = on_media

    def inbound(self, event: Inbound) -> None:
        with self._store.transaction() as connection:
            file = register_file(connection, event)
            self._add(connection, inbox_notice(event, file))
        self._on_callback()
        if file is not None:
            self._on_media()

    def picture(self, event: Picture) -> None:
        with self._store.transaction() as connection:
            if event.media is None:
                self._add(connection, photo_notice(event))
            else:
                register_picture(connection, event)
                remember(connection, Fact.LAST_EVENT_AT, now())
        self._on_callback()
        self._on_media()

    def receipt(self, event: Receipt) -> None:
        with self._store.transaction() as connection:
            at = now()
            add_callback(connection, _describe_receipt(connection, event), at=at)
            remember(connection, Fact.LAST_EVENT_AT, at)
            remember(connection, Fact.LAST_ACK_AT, at)
        self._on_callback()

    def failure(self, event: Failure) -> None:
        raise NotImplementedError

    def update(self, raw: str) -> None:
        raise NotImplementedError

    def state_changed(self, state: DriverState) -> None:
        log.info("driver_state_changed", state=state)
        self._on_state()

    def _add(self, connection: Connection, callback: Callback) -> None:
        at = now()
        add_callback(connection, callback, at=at)
        remember(connection, Fact.LAST_EVENT_AT, at)
        log.info("event_stored", kind=callback.path, request_id=callback.request_id)


def _describe_receipt(connection: Connection, event: Receipt) -> Callback:
    """A read message of ours is `seen`; one we do not know (yet) is a plain ack."""
    send = find_by_whatsapp_id(connection, event.whatsapp_id)
    if send is not None and event.ack == ACK_READ:
        return seen_notice(event, send)
    return ack_notice(event, request_id=send.request_id if send else new_request_id())
