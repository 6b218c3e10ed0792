"""Reads kept updates, oldest first, and records what they report exactly once."""

import contextvars
import threading
import time
from collections.abc import Callable, Sequence

import structlog
from sqlalchemy import Connection

from gateway.clock import now
from gateway.drivers.base import Driver, UnreadableError
from gateway.drivers.events import Event, Failure, Inbound, Receipt
from gateway.recorder import record_event
from gateway.store.callbacks import purge_dead_letters
from gateway.store.database import STORE_AWAY, Store, is_store_away
from gateway.store.tables import UpdateState
from gateway.store.updates import (
    KeptUpdate,
    find_oldest,
    note_recorded,
    purge_recorded,
    purge_updates,
    settle_update,
)

log = structlog.get_logger(__name__)

DAY = 24 * 3600.0
KEPT_FOR = 7 * DAY
REMEMBERED_FOR = 8 * DAY
"""A day longer than WhatsApp goes on to bring an update that nobody answered."""
PURGE_EVERY = 3600.0
ERROR_PAUSE = 1.0
LONGEST_SLEEP = 60.0
DEAD_LETTERS_KEPT_FOR = 30 * DAY


class UpdateReader:
    """One thread, since updates are read in the order in which they came."""

    def __init__(self, store: Store, driver: Driver, *, on_event: Callable[[], None]) -> None:
        self._store = store
        self._driver = driver
        self._on_event = on_event
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._purge_at = 0.0
        self._reading = threading.Lock()
        # The context carries the process name into log lines.
        run = contextvars.copy_context().run
        self._thread = threading.Thread(target=run, args=(self._run,), name="updates", daemon=True)
        self.start = self._thread.start
        self.wake = self._wake.set

    def stop(self, timeout: float) -> None:
        """Begin no other update; one that is not recorded is read again after a restart."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def catch_up(self, *, without: str) -> None:
        """Read what waits now, and tell nobody what this chat did. Raises what is in STORE_AWAY."""
        while self._read_next(without=without):
            pass

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                found = self._read_next()
                self._purge_sometimes()
            except Exception:
                log.exception("update_not_recorded")
                self._stopping.wait(ERROR_PAUSE)
            else:
                if not found:
                    self._wake.wait(LONGEST_SLEEP)

    def _read_next(self, *, without: str | None = None) -> bool:
        with self._reading:
            return self._read_oldest(without)

    def _read_oldest(self, without: str | None) -> bool:
        with self._store.reading() as connection:
            update = find_oldest(connection)
        if update is None:
            return False
        events, state = self._read(update)
        try:
            self._record(update, events, state=state, without=without)
        except STORE_AWAY:
            raise  # The same update again in a moment.
        except Exception:
            # What cannot be recorded now never can be: it must not hold up the next.
            log.exception("update_not_recordable", update_id=update.id)
            self._record(update, [], state=UpdateState.UNREADABLE)
        self._on_event()
        return True

    def _read(self, update: KeptUpdate) -> tuple[Sequence[Event], UpdateState]:
        try:
            return self._driver.read_update(update.raw), UpdateState.DONE
        except UnreadableError as error:
            log.error("update_unreadable", update_id=update.id, read=len(error.events))
            return error.events, UpdateState.UNREADABLE
        except Exception as error:  # Its words may hold what the update says.
            log.error("update_unreadable", update_id=update.id, error=type(error).__name__)
            return [], UpdateState.UNREADABLE

    def _record(
        self,
        update: KeptUpdate,
        events: Sequence[Event],
        *,
        state: UpdateState,
        without: str | None = None,
    ) -> None:
        """All of it and the mark that it is done, in one transaction."""
        with self._store.transaction() as connection:
            for event in events:
                if not _record_event(connection, update, event, without=without):
                    state = UpdateState.UNREADABLE
            settle_update(connection, update.id, state, chats=[event.chat for event in events])

    def _purge_sometimes(self) -> None:
        if time.monotonic() < self._purge_at:
            return
        self._purge_at = time.monotonic() + PURGE_EVERY
        with self._store.transaction() as connection:
            purge_updates(connection, received_before=now() - KEPT_FOR)
            purge_recorded(connection, recorded_before=now() - REMEMBERED_FOR)
            purge_dead_letters(connection, created_before=now() - DEAD_LETTERS_KEPT_FOR)


def _record_event(
    connection: Connection, update: KeptUpdate, event: Event, *, without: str | None
) -> bool:
    """False where it cannot be recorded; the others of its update must not be lost with it."""
    try:
        with connection.begin_nested():
            if _is_new(connection, event) and event.chat != without:
                record_event(connection, event)
    except Exception as error:
        if is_store_away(error):
            raise
        # Its words may hold what the customer wrote.
        kind, why = type(event).__name__, type(error).__name__
        log.error("event_not_recordable", update_id=update.id, kind=kind, error=why)
        return False
    return True


def _is_new(connection: Connection, event: Event) -> bool:
    key = _key(event)
    return key is None or note_recorded(connection, key, at=now())


def _key(event: Event) -> str | None:
    """What makes two reports the same one; None where repeats do no harm."""
    match event:
        case Inbound():
            return f"in:{event.whatsapp_id}"
        case Receipt():
            return f"status:{event.whatsapp_id}:{event.ack}"
        case Failure():
            return f"failed:{event.whatsapp_id}"
    return None
