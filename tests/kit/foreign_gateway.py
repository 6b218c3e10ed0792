"""A gateway of the test's own, inside the test: it records, and stands still when told to.

It keeps the contract's promise, one message sent for each (backend_message_id, attempt), in memory.
The one that misbehaves by chance, as a process, is `tests/soak/foreign_gateway.py`.
"""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

TAKEN = {"status": "accepted", "message": "Message queued for sending"}


class ForeignGateway:
    """Listens on a port between `start` and `stop`, and may be started again."""

    def __init__(self, port: int, *, backend: str | None = None) -> None:
        self.port = port
        self.backend = backend
        """Where maps go; None tells nobody."""
        self.orders: list[dict[str, Any]] = []
        """Every `POST /send`, repeats too."""
        self.sent: list[dict[str, Any]] = []
        """What it would send to WhatsApp: each (message, attempt) once."""
        self.answers = threading.Event()
        """While cleared, orders are taken and not answered."""
        self.answers.set()
        self.lost_answers = 0
        """So many of the next orders are taken, and the connection is closed without a word."""
        self.delay = 0.0
        """Seconds that each answer takes."""
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        gateway = self

        class Handler(_Handler):
            owner = gateway

        self._server = _Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Refuse connections from now on."""
        self.answers.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> "ForeignGateway":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def orders_for(self, message_id: int) -> list[dict[str, Any]]:
        return [order for order in list(self.orders) if order["backend_message_id"] == message_id]

    def sent_ids(self) -> list[int]:
        """Messages in the order in which WhatsApp would have got them."""
        return [order["backend_message_id"] for order in list(self.sent)]

    def take(self, order: dict[str, Any]) -> bool:
        """Write it down; whether it is to be answered."""
        with self._lock:
            self.orders.append(order | {"at": time.monotonic()})
            known = {(sent["backend_message_id"], sent["attempt"]) for sent in self.sent}
            if (order["backend_message_id"], order["attempt"]) not in known:
                self.sent.append(order)
                if self.backend:
                    threading.Thread(target=self._map, args=(order,), daemon=True).start()
            lost = self.lost_answers > 0
            self.lost_answers -= lost
        self.answers.wait(60)
        time.sleep(self.delay)
        return not lost

    def _map(self, order: dict[str, Any]) -> None:
        message_id = order["backend_message_id"]
        body = {"backend_id": message_id, "whatsapp_id": f"3EB0{message_id:018}"}
        for _ in range(200):
            try:
                url = f"{self.backend}/messages/map"
                if httpx.post(url, json=body, timeout=10, trust_env=False).is_success:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.3)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def handle_error(self, *_: object) -> None:
        """A worker that was killed is no news."""


class _Handler(BaseHTTPRequestHandler):
    owner: ForeignGateway

    def log_message(self, *_: object) -> None:
        """Silence."""

    def do_GET(self) -> None:
        ready = {"ready": True, "need_qr": False, "session_active": True}
        self._answer(*((200, ready) if self.path == "/status" else (404, {"detail": "not here"})))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != "/send":
            self._answer(404, {"detail": "not here"})
        elif self.owner.take(body):
            self._answer(202, TAKEN)

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
