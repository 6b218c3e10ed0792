"""Files of customers: announced with their message, fetched by a lane of their own."""

import secrets
from collections.abc import Callable
from functools import partial
from pathlib import Path

import structlog
from sqlalchemy import Connection

from config.settings import MediaSettings
from gateway.backoff import long_pause_before
from gateway.clock import now
from gateway.drivers.base import Driver, PermanentError, TemporaryError
from gateway.drivers.events import Inbound, Media, MediaKind, Picture
from gateway.lanes import Lanes
from gateway.media_files import MediaFiles, make_safe_name, too_large
from gateway.media_types import HEAD, kind_of, recognise
from gateway.notices import fetched_picture_notice, media_notice
from gateway.store import media as rows
from gateway.store.callbacks import add_callback
from gateway.store.database import Store
from gateway.store.lanes import DueChats
from gateway.store.media import MediaFile
from gateway.store.tables import MediaState

log = structlog.get_logger(__name__)

THREADS = 8
"""They mostly wait: so many slow files hold up no other one."""
MAX_TRIES = 80
"""About three days of them; nobody waits for a file longer."""
TIDY_EVERY = 3600.0
DAY = 86_400.0

Outcome = Callable[[Connection], list[str]]
"""Records what came of a download; returns the ids of files that are no more needed."""


class MediaLane:
    def __init__(
        self,
        store: Store,
        driver: Driver,
        *,
        settings: MediaSettings,
        folder: Path,
        is_ready: Callable[[], bool],
        on_callback: Callable[[], None],
    ) -> None:
        self._store = store
        self._driver = driver
        self._is_ready = is_ready
        self._on_callback = on_callback
        self._keep_days = settings.keep_days
        self._tidy_at = 0.0
        self._lanes = Lanes("media", self._find, handle=self._fetch, threads=THREADS)
        self.files = MediaFiles(folder, max_bytes=settings.max_bytes)
        self.start = self._lanes.start
        self.stop = self._lanes.stop
        self.wake = self._lanes.wake

    def find_stored(self, media_id: str) -> tuple[MediaFile | None, Path]:
        """What is known of a file, and where it lies once it is stored.

        One that was lost with the disk is asked for again: some platforms keep no disk.
        """
        path = self.files.path(media_id)
        with self._store.reading() as connection:
            file = rows.find_media(connection, media_id)
        if file is None or file.state is not MediaState.STORED or path.exists():
            return file, path
        log.warning("media_lost", media_id=media_id)
        with self._store.transaction() as connection:
            rows.await_again(connection, media_id, due_at=now())
            file = rows.find_media(connection, media_id)
        self.wake()
        return file, path

    def tidy(self) -> None:
        """Delete what has been kept long enough, and files that no row speaks of."""
        with self._store.transaction() as connection:
            expired = self._expire(connection) if self._keep_days else []
        self.files.remove(expired)
        with self._store.reading() as connection:
            kept = rows.find_kept(connection)
        strays = self.files.remove_strays(kept)
        if expired or strays:
            log.info("media_tidied", expired=len(expired), strays=strays)

    def _expire(self, connection: Connection) -> list[str]:
        reason = f"Files are kept for {self._keep_days} days (MEDIA_KEEP_DAYS)."
        before = now() - self._keep_days * DAY
        return rows.expire_media(connection, before=before, reason=reason)

    def _find(self, limit: int) -> DueChats:
        if now() >= self._tidy_at:
            self._tidy_at = now() + TIDY_EVERY
            self.tidy()
        if not self._is_ready():
            return DueChats([])  # A change of the state wakes us.
        with self._store.reading() as connection:
            return rows.find_due_media(connection, at=now(), limit=limit)

    def _fetch(self, media_id: str) -> None:
        with self._store.reading() as connection:
            file = rows.find_media(connection, media_id)
        if file is None or file.state is not MediaState.PENDING or file.due_at > now():
            return
        record = self._download(file)
        with self._store.transaction() as connection:
            needless = record(connection)
        self.files.remove(needless)
        self._on_callback()

    def _download(self, file: MediaFile) -> Outcome:
        """Ask the driver; returns how to record what came of it."""
        try:
            if file.size is not None and file.size > self.files.max_bytes:
                raise too_large(self.files.max_bytes)
            size, head = self.files.write(file.id, self._driver.fetch_media(file.reference))
        except PermanentError as error:
            log.warning("media_failed", media_id=file.id, code=error.code)
            return partial(_fail, file=file, reason=error.reason)
        except Exception as error:  # Nothing is spoilt by another try.
            delay = error.delay if isinstance(error, TemporaryError) else 0.0
            return self._postpone(file, error, delay)
        log.info("media_stored", media_id=file.id, size=size)
        mime = recognise(head[:HEAD], kind=file.kind, declared=file.mime)
        kind = kind_of(mime, declared=file.kind)
        if file.is_picture and kind is not MediaKind.IMAGE:
            return partial(_fail, file=file, reason="The picture is no image.")
        return partial(_keep, file=file, mime=mime, kind=kind, size=size)

    def _postpone(self, file: MediaFile, error: Exception, delay: float) -> Outcome:
        at = now()
        log.info(
            "media_postponed", media_id=file.id, error=type(error).__name__, tries=file.tries + 1
        )
        if file.tries + 1 >= MAX_TRIES:
            reason = "WhatsApp did not give the file for three days."
            return partial(_fail, file=file, reason=reason)
        due_at = at + max(delay, long_pause_before(file.tries + 1))

        def record(connection: Connection) -> list[str]:
            rows.change_pending(connection, file.id, tries=file.tries + 1, due_at=due_at)
            return []

        return record


def register_file(connection: Connection, event: Inbound) -> MediaFile | None:
    """Take note of the file of a message; None where it has none."""
    if event.media is None:
        return None
    known = rows.find_of_message(connection, event.chat, event.whatsapp_id)
    return known or _add(connection, event.chat, event.media, whatsapp_id=event.whatsapp_id)


def register_picture(connection: Connection, event: Picture) -> None:
    """Take note of a customer's new picture, to be told once it is here."""
    if event.media is not None:
        rows.remove_awaited_pictures(connection, event.chat)
        _add(connection, event.chat, event.media, whatsapp_id=None)


def _add(
    connection: Connection, chat: str, media: Media, *, whatsapp_id: str | None
) -> MediaFile | None:
    media_id, at = secrets.token_urlsafe(24), now()
    values = {
        "id": media_id,
        "chat": chat,
        "whatsapp_id": whatsapp_id,
        "kind": media.kind,
        "mime": media.mime[:100],
        "name": make_safe_name(media.file_name),
        "size": media.size,
        "reference": media.reference,
        "due_at": at,
        "created_at": at,
    }
    rows.add_media(connection, values)
    return rows.find_media(connection, media_id)


def _keep(
    connection: Connection, *, file: MediaFile, mime: str, kind: MediaKind, size: int
) -> list[str]:
    """It is here: tell the backend, and let older pictures of the customer go."""
    values = {"state": MediaState.STORED, "mime": mime, "kind": kind, "size": size}
    return _settle(connection, file, **values)


def _fail(connection: Connection, *, file: MediaFile, reason: str) -> list[str]:
    return [*_settle(connection, file, state=MediaState.FAILED, reason=reason), file.id]


def _settle(connection: Connection, file: MediaFile, **values: object) -> list[str]:
    if not rows.change_pending(connection, file.id, **values):
        return [file.id]  # Erased, or replaced by a newer picture, while it was fetched.
    settled = rows.find_media(connection, file.id)
    assert settled is not None
    if not settled.is_picture:
        add_callback(connection, media_notice(settled), at=now())
    elif settled.state is MediaState.STORED:
        add_callback(connection, fetched_picture_notice(settled), at=now())
        return rows.remove_other_pictures(connection, settled)
    return []
