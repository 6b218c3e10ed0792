"""How a stored file is handed out: whole or in ranges, and never as something that runs."""

import mimetypes
from pathlib import Path

from flask import Response, jsonify, send_file
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import Gone, NotFound

from gateway.media_types import is_shown_inline
from gateway.store.media import MediaFile
from gateway.store.tables import MediaState

TOO_EARLY = 425
RETRY_AFTER = "5"


def answer_file(file: MediaFile | None, path: Path) -> ResponseReturnValue:
    """The file's bytes. Raises NotFound and Gone; 425 while it is still being fetched."""
    if file is None:
        raise NotFound("There is no such file.")
    if file.state is MediaState.PENDING:
        detail = "The file is still being fetched from WhatsApp."
        return jsonify(detail=detail), TOO_EARLY, {"Retry-After": RETRY_AFTER}
    if file.state is not MediaState.STORED:
        raise Gone(file.reason or "The file is not here any more.")
    return _send(file, path)


def _send(file: MediaFile, path: Path) -> Response:
    response = send_file(
        path.resolve(),
        mimetype=file.mime,
        as_attachment=not is_shown_inline(file.mime),
        download_name=file.name or _make_name(file),
        conditional=True,
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _make_name(file: MediaFile) -> str:
    return f"{file.kind}-{file.id[:8]}{mimetypes.guess_extension(file.mime) or ''}"
