"""Fetching files: what customers sent, and their profile pictures."""

from __future__ import annotations

from collections.abc import Iterator

import httpx

from gateway.drivers.base import DriverError, PermanentError, TemporaryError
from gateway.drivers.web.line import Line, LineError
from gateway.drivers.web.references import FileReference, PictureReference, read_reference

PIECE = 64 * 1024
LATER = 60.0
TIMEOUT = httpx.Timeout(20.0, connect=5.0)
GONE = ("status code 403", "status code 404", "status code 410", "no url present")
HIDDEN = ("hidden their profile picture", "does not have a profile picture", "not-authorized")


def fetch(reference: str, line: Line) -> Iterator[bytes]:
    """The bytes, piece by piece. Raises a DriverError."""
    try:
        wanted = read_reference(reference)
    except ValueError as error:
        raise PermanentError("no_media", str(error)) from error
    if isinstance(wanted, PictureReference):
        return _fetch_picture(wanted, line)
    return _fetch_file(wanted, line)


def _fetch_file(wanted: FileReference, line: Line) -> Iterator[bytes]:
    try:
        content = line.download(wanted.message)
    except LineError as error:
        raise judge_download(str(error)) from error
    for start in range(0, len(content), PIECE):
        yield content[start : start + PIECE]


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
