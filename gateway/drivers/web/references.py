"""What a stored media reference says: the one place that writes and reads it."""

import base64
import json
from dataclasses import dataclass
from typing import Any

from gateway.drivers.events import MediaKind
from gateway.drivers.web.line import Address, File

MAX_REFERENCE = 64 * 1024
"""A real one has well under a thousand signs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureReference:
    """Somebody's profile picture; `version` tells the new from the old."""

    whose: Address
    version: int


Reference = File | PictureReference


def write_reference(reference: Reference) -> str:
    """Raises ValueError where it would be absurdly large."""
    if isinstance(reference, PictureReference):
        whose = f"{reference.whose.user}@{reference.whose.server}"
        return json.dumps({"picture": whose, "version": reference.version})
    written = json.dumps(
        {
            "kind": reference.kind,
            "path": reference.path,
            "key": base64.b64encode(reference.key).decode(),
            "digest": base64.b64encode(reference.digest).decode(),
            "encrypted_digest": base64.b64encode(reference.encrypted_digest).decode(),
            "size": reference.size,
        }
    )
    if len(written) > MAX_REFERENCE:
        raise ValueError("The description of the file is too large to keep.")
    return written


def read_reference(text: str) -> Reference:
    """Raises ValueError where it is none of ours."""
    try:
        fields = json.loads(text)
        return _read_picture(fields) if "picture" in fields else _read_file(fields)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError("This is no media reference of the driver web.") from error


def _read_picture(fields: dict[str, Any]) -> PictureReference:
    user, _, server = fields["picture"].partition("@")
    return PictureReference(whose=Address(user=user, server=server), version=fields["version"])


def _read_file(fields: dict[str, Any]) -> File:
    return File(
        kind=MediaKind(fields["kind"]),
        path=fields["path"],
        key=base64.b64decode(fields["key"], validate=True),
        digest=base64.b64decode(fields["digest"], validate=True),
        encrypted_digest=base64.b64decode(fields["encrypted_digest"], validate=True),
        size=fields["size"],
    )
