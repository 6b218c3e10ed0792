"""What a stored media reference says: the one place that writes and reads it."""

import base64
import json
from dataclasses import dataclass

from gateway.drivers.web.line import Address

MAX_MESSAGE = 64 * 1024
"""Bytes of a message without its thumbnail; a real one has well under a thousand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReference:
    """A serialized message that says where a file lies and how to decrypt it."""

    message: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureReference:
    """Somebody's profile picture; `version` tells the new from the old."""

    whose: Address
    version: int


Reference = FileReference | PictureReference


def write_reference(reference: Reference) -> str:
    """Raises ValueError where it would be absurdly large."""
    if isinstance(reference, PictureReference):
        whose = f"{reference.whose.user}@{reference.whose.server}"
        return json.dumps({"picture": whose, "version": reference.version})
    if len(reference.message) > MAX_MESSAGE:
        raise ValueError("The message is too large to keep as a reference.")
    return json.dumps({"message": base64.b64encode(reference.message).decode()})


def read_reference(text: str) -> Reference:
    """Raises ValueError where it is none of ours."""
    try:
        fields = json.loads(text)
        if "picture" in fields:
            user, _, server = fields["picture"].partition("@")
            return PictureReference(
                whose=Address(user=user, server=server), version=fields["version"]
            )
        return FileReference(message=base64.b64decode(fields["message"], validate=True))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError("This is no media reference of the driver web.") from error
