"""A gateway that somebody else wrote, given only the contract, and that fails as it likes.

It keeps the contract's one promise (what it took it sends once, also after a kill) and no other
manner: it refuses, loses, stalls, trickles, lies and has no `GET /messages/{id}`.
Settings: PORT, BACKEND_URL, FOREIGN_LOG, FOREIGN_SEED. `/foreign/misbehave` is the test's own.
"""

import json
import os
import random
import socket
import struct
import time
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.soak.foreign_receipts import Receipts
from tests.soak.foreign_store import Store

REFUSALS = ("500", "429", "503", "408", "redirect", "reset", "stall")
"""Nothing was taken."""
SPOILS = ("lost", "reset", "stall", "trickle", "trickled head", "garbage", "no http", "500")
"""It was taken, and the answer says otherwise, or nothing."""
SLOW = ("stall", "trickle", "trickled head")
STALL = 7.0
TRICKLE = 2.0
"""Seconds between two bytes."""
TRICKLED = 12
"""Bytes after which a trickle gives up and closes."""


class Foreign(ThreadingHTTPServer):
    """The server, what it keeps, and how badly it behaves."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", int(os.environ["PORT"])), Handler)
        self.rng = random.Random(f"{os.environ['FOREIGN_SEED']} {time.time()}")
        self.percent, self.slow_percent = 30, 8
        self.store = Store(Path(os.environ["FOREIGN_LOG"]))
        self.receipts = Receipts(self.store, os.environ["BACKEND_URL"], self.rng)

    def mood(self, kinds: tuple[str, ...]) -> str:
        """How this request is to be spoiled; "" is not at all. Slow ways have their own share."""
        if self.rng.random() * 100 < self.slow_percent:
            return self.rng.choice([kind for kind in kinds if kind in SLOW])
        if self.rng.random() * 100 < self.percent / 2:
            return self.rng.choice([kind for kind in kinds if kind not in SLOW])
        return ""

    def handle_error(self, *_: object) -> None:
        """A client that went away is no news."""


class Handler(BaseHTTPRequestHandler):
    server: Foreign
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Silence."""

    def do_GET(self) -> None:
        if self.path == "/healthz":
            return self._answer(200, b'{"status": "ok"}')
        if self.path == "/status":
            mood = self.server.mood(SPOILS)
            answer = b'{"ready": true, "need_qr": false, "session_active": true}'
            return self._spoil(mood, 200, answer)
        return self._answer(404, b'{"detail": "not here"}')

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/foreign/misbehave":
            vars(self.server).update(json.loads(body))
            return self._answer(200, b"{}")
        if self.path != "/send":
            return self._answer(404, b'{"detail": "not here"}')
        return self._take(json.loads(body))

    def _take(self, order: dict[str, Any]) -> None:
        refusal = self.server.mood(REFUSALS)
        if refusal:
            return self._refuse(refusal)
        entry = self.server.store.take(order)
        if entry:
            self.server.receipts.expect(entry)
        taken = b'{"status": "accepted", "message": "Message queued for sending"}'
        return self._spoil(self.server.mood(SPOILS), 202, taken)

    def _refuse(self, how: str) -> None:
        if how == "reset":
            return self._reset()
        if how == "stall":
            time.sleep(STALL)
            return self._close()
        if how == "redirect":
            return self._answer(307, b"", Location="/elsewhere")
        detail = b'{"detail": "not now\\u0000, nor \\u0001"}'
        return self._answer(int(how), detail, **({"Retry-After": "1"} if how == "429" else {}))

    def _spoil(self, how: str, status: int, body: bytes) -> None:
        if how == "stall":
            time.sleep(STALL)
        spoilt: dict[str, Callable[[], None]] = {
            "reset": self._reset,
            "lost": self._close,
            "no http": self._speak_nonsense,
            "500": partial(self._answer, 500, b'{"detail": "Oops\\u0000"}'),
            "garbage": partial(self._answer, status, b'{"status": \xff\xfe'),
            "trickle": partial(self._trickle, b"HTTP/1.1 202 Accepted\r\n\r\n", body * 100),
            "trickled head": partial(self._trickle, b"", b"HTTP/1.1 202 Accepted\r\nX: slow"),
        }
        spoilt.get(how, partial(self._answer, status, body))()

    def _speak_nonsense(self) -> None:
        self.wfile.write(b"\x00\xffwhat is HTTP?\r\n\r\n")
        self._close()

    def _trickle(self, head: bytes, sent: bytes) -> None:
        self.wfile.write(head)
        for byte in sent[:TRICKLED]:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(TRICKLE)
        self._close()

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _close(self) -> None:
        self.close_connection = True

    def _reset(self) -> None:
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()
        self.close_connection = True


def main() -> None:
    server = Foreign()
    server.receipts.start()
    server.serve_forever()


if __name__ == "__main__":
    main()
