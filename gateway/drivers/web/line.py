"""The seam between the driver and the library that speaks WhatsApp Web."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.drivers.events import MediaKind

Proto = Any
"""A protobuf object of neonize, known by its shape only: see `client.py` for why."""


class LineError(Exception):
    """The library said no, in its own words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Whom WhatsApp means: digits, and the server that says whether they are a phone or a LID."""

    user: str
    server: str


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """Where a file lies at WhatsApp, and how to decrypt it: a path on its servers, never a URL."""

    kind: MediaKind
    path: str
    key: bytes
    digest: bytes
    encrypted_digest: bytes
    size: int | None


class Line(Protocol):
    """One connection from its dial to its end; another one is another object.

    Every call but `run` and `hang_up` raises LineError where there is no connection.
    """

    def run(self, *, on_event: Callable[[Proto], None], on_code: Callable[[str], None]) -> None:
        """Dial, then block while the connection lives, over its own reconnects too.

        Both functions are called on threads of Go and must return at once. Raises LineError where
        the dial failed or the library gave up.
        """

    def hang_up(self) -> None:
        """Drop the connection and keep the session. `run` may take its time to return."""

    def ask(self) -> None:
        """A question that only WhatsApp's server can answer; returns once it has."""

    def send(self, to: Address, text: str) -> str:
        """Send a text; returns WhatsApp's id."""

    def mark_read(self, chat: Address, whatsapp_ids: Sequence[str]) -> None:
        """Give a read receipt for messages of one customer."""

    def own_addresses(self) -> list[Address]:
        """Our own phone and LID, as far as they are known; never raises."""

    def find_user(self, phone: str) -> Address | None:
        """Who has this phone on WhatsApp, asked over the network."""

    def find_phone(self, lid: str) -> str | None:
        """The phone behind a LID, as far as it is known here."""

    def find_lid(self, phone: str) -> str | None:
        """The LID of a phone, as far as it is known here."""

    def download(self, file: File) -> bytes:
        """A file, decrypted; all of it is held in memory."""

    def find_picture(self, whose: Address) -> str:
        """The URL of someone's profile picture; it expires."""
