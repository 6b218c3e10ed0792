"""gunicorn's threads, of which none waits for ever for what a client does not say.

Of itself gunicorn reads a request without a time limit: as many clients as there are threads, gone
in the midst of theirs, would be the end of a process.
"""

import errno
import json
import select
import socket
import ssl
import time
from http import HTTPStatus
from typing import Any

from gunicorn import util
from gunicorn.errors import ConfigError
from gunicorn.http import errors, get_parser
from gunicorn.http.unreader import SocketUnreader
from gunicorn.sock import ssl_wrap_socket
from gunicorn.workers.gthread import TConn, ThreadWorker

from config.browser_headers import HARDENING

PATIENCE = 15.0
"""Seconds for a whole request, and for each `SLOWEST` bytes of it that came one more."""
SLOWEST = 16 * 1024

LINGER = 5
"""Milliseconds that a thread waits for a connection's next request."""
UNREAD = 20_000
"""Milliseconds without progress until an answer that nobody takes is given up (Linux only)."""
REFUSALS = {
    errors.LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    errors.LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    errors.UnsupportedTransferCoding: HTTPStatus.NOT_IMPLEMENTED,
    errors.ExpectationFailed: HTTPStatus.EXPECTATION_FAILED,
    errors.ForbiddenProxyRequest: HTTPStatus.FORBIDDEN,
}
"""What no application ever sees; all else that is no HTTP is a 400."""
OUR_FAULTS = (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName)


class PatientUnreader(SocketUnreader):  # type: ignore[misc]
    """A connection whose client has so long to say what it wants."""

    def __init__(self, sock: Any) -> None:
        super().__init__(sock)
        self.begin()

    def begin(self) -> None:
        """A new request may take its time."""
        self.deadline = time.monotonic() + PATIENCE

    def chunk(self, size_hint: int | None = None) -> bytes:
        """What comes next. Raises `ConnectionResetError` once the time is over."""
        left, given = self.deadline - time.monotonic(), self.sock.gettimeout()
        if left <= 0:
            raise _too_late()
        self.sock.settimeout(left if given is None else min(left, given))
        try:
            data: bytes = super().chunk(size_hint)
            if isinstance(self.sock, ssl.SSLSocket) and (opened := self.sock.pending()):
                # TLS opens whole records; of what is left in one no poller tells.
                data += self.sock.recv(opened)
        except TimeoutError as error:
            raise _too_late() from error
        finally:
            self.sock.settimeout(given)
        self.deadline += len(data) / SLOWEST
        return data


class PatientConnection(TConn):  # type: ignore[misc]
    """A connection whose client has so long to begin, too."""

    sock: Any
    parser: Any
    initialized: bool

    def init(self) -> None:
        """Before each request; at first as gunicorn's own, but for HTTP/2."""
        if not self.initialized:
            self.initialized = True
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD)
            if self.cfg.is_ssl:
                self._shake_hands()
            self.parser = get_parser(self.cfg, self.sock, self.client)
            self.parser.unreader = PatientUnreader(self.sock)
        self.parser.unreader.begin()

    def _shake_hands(self) -> None:
        """Begin TLS. gunicorn would wait for the client's part of it for ever."""
        self.sock.settimeout(PATIENCE)
        try:
            self.sock = ssl_wrap_socket(self.sock, self.cfg)
            if not self.cfg.do_handshake_on_connect:
                self.sock.do_handshake()
        except TimeoutError as error:
            raise _too_late() from error
        self.sock.settimeout(None)


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's gthread with patient connections.

    It hands each request of a connection from the thread that accepts to another and back, through
    a queue and a pipe: that takes longer than many an answer. Here a thread first lingers for more.
    """

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Refuse what would be served in another way than it was asked for."""
        super().check_config(cfg, log)
        if "h2" in cfg.http_protocols:
            raise ConfigError("gthread speaks no HTTP/2 here; leave out --http-protocols.")

    def handle(self, conn: Any) -> Any:
        """A request of a connection, and those that follow it at once, on a thread."""
        conn.__class__ = PatientConnection  # gunicorn names its own class where it accepts
        kept = super().handle(conn)
        while kept is True and self._may_linger() and _says_more(conn):
            kept = super().handle(conn)
        if kept is False:
            _part_from(conn)
        return kept

    def _may_linger(self) -> bool:
        """While nobody waits for a thread: then every connection may have one of its own."""
        return bool(self.alive and self.nr_conns <= self.cfg.threads)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """A request that is none is refused in the product's own words, not in gunicorn's HTML."""
        if not isinstance(exc, errors.ParseException) or isinstance(exc, OUR_FAULTS):
            super().handle_error(req, client, addr, exc)
            return
        # Not what it says: that may be a phone or a token.
        self.log.warning("refused what is no HTTP request: %s", type(exc).__name__)
        try:
            client.sendall(refusal(REFUSALS.get(type(exc), HTTPStatus.BAD_REQUEST)))
        except OSError:  # whoever it was has gone
            self.log.debug("The refusal could not be sent.")


def _says_more(conn: Any) -> bool:
    """Whether a connection's next request was read with the last one, or comes in a moment.

    That the client has gone counts too: who reads finds out.
    """
    if conn.parser.unreader.buf.getvalue():
        return True
    poller = select.poll()
    poller.register(conn.sock, select.POLLIN)
    return bool(poller.poll(LINGER))


def refusal(status: HTTPStatus) -> bytes:
    """The whole answer, after which the connection is closed."""
    body = json.dumps({"detail": f"This is no valid HTTP request: {status.phrase}."}).encode()
    headers = {
        "Connection": "close",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        **HARDENING,
    }
    lines = [f"HTTP/1.1 {status} {status.phrase}", *(f"{n}: {v}" for n, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _part_from(conn: Any) -> None:
    """Close a connection here, where gunicorn does it on the thread that accepts all others.

    It waits up to 2 s for the client's part: thirty silent ones would be the end of the process.
    """
    util.close_graceful(conn.sock)
    conn.close = lambda graceful=False: None


def _too_late() -> ConnectionResetError:
    """What gunicorn takes for a client that left, and says nothing about."""
    return ConnectionResetError(errno.ECONNRESET, "the request took too long to arrive")
