"""Fetching files: what customers sent, and their profile pictures."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from gateway.drivers.base import DriverError, PermanentError, TemporaryError
from gateway.drivers.web.line import File, Line, LineError
from gateway.drivers.web.references import PictureReference, read_reference
from gateway.media_files import too_large

PIECE = 64 * 1024
LATER = 60.0
PATIENCE = 60.0
"""Seconds that a file waits for the one before it, until it tries again later."""
TIMEOUT = httpx.Timeout(20.0, connect=5.0)
GONE = ("status code 403", "status code 404", "status code 410", "no url present")
HIDDEN = ("hidden their profile picture", "does not have a profile picture", "not-authorized")


class Downloads:
    """One file of a message at a time: the library holds all of it in memory."""

    def __init__(self, *, max_bytes: int, patience: float = PATIENCE) -> None:
        self._max_bytes = max_bytes
        self._patience = patience
        self._turn = threading.Lock()

    def fetch(self, reference: str, line: Line) -> Iterator[bytes]:
        """The bytes, piece by piece. Raises a DriverError."""
        try:
            wanted = read_reference(reference)
        except ValueError as error:
            raise PermanentError("no_media", str(error)) from error
        if isinstance(wanted, PictureReference):
            return _fetch_picture(wanted, line)
        require_fetchable(wanted, max_bytes=self._max_bytes)
        return self._fetch_file(wanted, line)

    def _fetch_file(self, wanted: File, line: Line) -> Iterator[bytes]:
        with self._wait_for_turn():
            try:
                content = line.download(wanted)
            except LineError as error:
                raise judge_download(str(error)) from error
            for start in range(0, len(content), PIECE):
                yield content[start : start + PIECE]

    @contextmanager
    def _wait_for_turn(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=self._patience):
            raise TemporaryError("Another file is still being fetched.", delay=LATER)
        try:
            yield
        finally:
            self._turn.release()


def require_fetchable(file: File, *, max_bytes: int) -> None:
    """Raises PermanentError: a sender decides what a message says of its file."""
    if not (file.path.startswith("/") and file.key and file.encrypted_digest):
        raise PermanentError("no_media", "The message does not say where its file is.")
    if file.size is None:
        raise PermanentError("no_media", "The message does not say how large its file is.")
    if file.size > max_bytes:
        raise too_large(max_bytes)


def _fetch_picture(wanted: PictureReference, line: Line) -> Iterator[bytes]:
    try:
        url = line.find_picture(wanted.whose)
    except LineError as error:
        raise judge_download(str(error)) from error
    if not url.startswith("https://"):
        raise PermanentError("no_media", "WhatsApp named no address for this picture.")
    try:
        with httpx.stream("GET", url, timeout=TIMEOUT) as answer:
            if answer.status_code != httpx.codes.OK:
                raise judge_download(f"status code {answer.status_code}")
            yield from answer.iter_bytes(PIECE)
    except httpx.HTTPError as error:
        raise TemporaryError("The picture could not be fetched.", delay=LATER) from error


def judge_download(words: str) -> DriverError:
    """What the library's words about a download mean."""
    said = words.lower()
    if any(sign in said for sign in GONE):
        return PermanentError("media_gone", "WhatsApp does not have this file any more.")
    if any(sign in said for sign in HIDDEN):
        return PermanentError("no_picture", "This customer shows no picture.")
    return TemporaryError("The file could not be fetched.", delay=LATER)
