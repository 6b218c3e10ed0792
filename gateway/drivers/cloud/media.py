"""Customers' files: Meta's id → an address for five minutes → the bytes, with our token."""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import httpx

from config.addresses import is_loopback_url
from config.settings import Settings
from gateway.drivers.base import DriverError, PermanentError, TemporaryError
from gateway.drivers.cloud.codes import UNKNOWN_ID
from gateway.drivers.cloud.faults import AccountError
from gateway.drivers.cloud.graph import Graph

PIECE = 64 * 1024
GONE = {404, 410}
THEIR_HOSTS = ("fbsbx.com", "whatsapp.net")
EXPIRED = "WhatsApp no longer has this file; it keeps one for 30 days."
RETRY_DELAY = 5.0
ACCOUNT_DELAY = 900.0
"""A person has to put the account right; the file is still there then."""


class MediaFiles:
    def __init__(
        self, settings: Settings, graph: Graph, *, on_refused: Callable[[AccountError], None]
    ) -> None:
        self._graph_url = settings.cloud.graph_url
        self._graph = graph
        self._on_refused = on_refused

    def fetch(self, reference: str) -> Iterator[bytes]:
        """The address is asked for at once, the bytes as they are taken. Raises a DriverError."""
        if not reference.isdecimal():
            # It becomes part of an address that is called with our token.
            raise PermanentError("no_media", "This is no file's id.")
        try:
            url = self._graph.ask(lambda api: str(api.get_media_url(reference)["url"]))
        except PermanentError as error:
            if error.code in UNKNOWN_ID:
                raise PermanentError("media_expired", EXPIRED) from error
            if isinstance(error, AccountError):
                self._on_refused(error)
                raise TemporaryError(error.reason, delay=ACCOUNT_DELAY) from error
            raise
        if not may_have_token(url, self._graph_url):
            raise PermanentError("foreign_media", "The file lies at an address that is not Meta's.")
        return self._stream(url)

    def _stream(self, url: str) -> Iterator[bytes]:
        # Not pywa's stream: it follows redirects, to anywhere, with our token in hand.
        try:
            with (
                self._graph.session() as session,
                session.stream("GET", url, follow_redirects=False) as answer,
            ):
                _require_file(answer)
                yield from answer.iter_bytes(PIECE)
        except httpx.HTTPError as error:
            reason = f"the file did not come through ({type(error).__name__})"
            raise TemporaryError(reason, delay=RETRY_DELAY) from None


def may_have_token(url: str, graph_url: str) -> bool:
    """GRAPH_URL's own host, and where Meta keeps files; anything else might be a thief."""
    parts, own = urlsplit(url), urlsplit(graph_url)
    if is_loopback_url(graph_url) and (parts.scheme, parts.netloc) == own[:2]:
        return True
    host = (parts.hostname or "").casefold()
    is_theirs = any(host == name or host.endswith(f".{name}") for name in THEIR_HOSTS)
    return parts.scheme == "https" and (is_theirs or host == own.hostname)


def _require_file(answer: httpx.Response) -> None:
    if answer.status_code in GONE:
        raise PermanentError("media_expired", EXPIRED)
    if not answer.is_success:
        raise _not_now(answer.status_code)


def _not_now(status: int) -> DriverError:
    return TemporaryError(f"the file's address answered {status}", delay=RETRY_DELAY)
