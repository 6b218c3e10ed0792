"""The files themselves, under `VAR_DIR/media`: whole or not there."""

import os
import unicodedata
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from gateway.clock import now
from gateway.drivers.base import PermanentError, TemporaryError

PART = ".part"
STRAY_AFTER = 3600.0
"""Seconds after which a file without a row is nobody's: erased or renamed in a crash."""
MAX_NAME = 120
LONGEST_DOWNLOAD = 900.0


class MediaFiles:
    def __init__(self, folder: Path, *, max_bytes: int) -> None:
        self._folder = folder
        self.max_bytes = max_bytes

    def path(self, media_id: str) -> Path:
        return self._folder / media_id

    def write(self, media_id: str, pieces: Iterable[bytes]) -> tuple[int, bytes]:
        """Store a file; returns its size and its beginning. Raises a DriverError and OSError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = self._folder / f"{media_id}{PART}"
        try:
            with part.open("wb") as file:
                size = self._copy(pieces, file.write)
                file.flush()
                os.fsync(file.fileno())
            with part.open("rb") as file:
                head = file.read(64)
            part.replace(self.path(media_id))
        finally:
            part.unlink(missing_ok=True)
        return size, head

    def _copy(self, pieces: Iterable[bytes], write: Callable[[bytes], int]) -> int:
        size, give_up = 0, now() + LONGEST_DOWNLOAD
        for piece in pieces:
            size += len(piece)
            if size > self.max_bytes:
                raise too_large(self.max_bytes)
            if now() > give_up:
                raise TemporaryError("the download takes too long", delay=0)
            write(piece)
        return size

    def remove(self, ids: Iterable[str]) -> None:
        for media_id in ids:
            self.path(media_id).unlink(missing_ok=True)

    def remove_strays(self, kept: set[str]) -> int:
        """Delete what no row speaks of; returns how many there were."""
        if not self._folder.exists():
            return 0
        strays = [entry for entry in os.scandir(self._folder) if entry.name not in kept]
        removed = 0
        for entry in strays:
            with suppress(FileNotFoundError):
                if entry.stat().st_mtime < now() - STRAY_AFTER:
                    os.unlink(entry.path)
                    removed += 1
        return removed


def too_large(max_bytes: int) -> PermanentError:
    return PermanentError(
        "too_large", f"The file is larger than {max_bytes} bytes (MEDIA_MAX_BYTES)."
    )


def make_safe_name(name: str | None) -> str | None:
    """A file name without folders, control characters and tricks of direction."""
    if not name:
        return None
    last = name.replace("\\", "/").rpartition("/")[2]
    plain = "".join(sign for sign in last if unicodedata.category(sign)[0] != "C")
    stem, dot, ending = plain.strip(" .").rpartition(".")
    if not dot or len(ending) > 10:
        return plain.strip(" .")[:MAX_NAME] or None
    return f"{stem[: MAX_NAME - len(ending) - 1]}.{ending}"
