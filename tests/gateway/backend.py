"""A backend that records every callback and answers as it is told."""

import json
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.kit.ports import free_port


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    path: str
    body: dict
    headers: dict[str, str]
    status: int


STATUS = "/webhooks/whatsapp/status"
Answer = int | tuple[int, dict[str, str]]


class Server(ThreadingHTTPServer):
    """One that ends its open connections, too, as a process that ends does."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def cut(self) -> None:
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class RecordingBackend:
    """Listens on a free loopback port of its own; `stop` and `start` again keep the port."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        """All but pushes of the state, which come beside everything else."""
        self.pushes: list[Call] = []
        self.answer: Callable[[str, dict], Answer] = lambda path, body: 200
        self.answer_push: Callable[[str, dict], Answer] = lambda path, body: 200
        self._server: Server | None = None
        self._port = free_port()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        self._server = Server(("127.0.0.1", self._port), self._make_handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.cut()
            self._server.server_close()
            self._server = None

    def bodies(self, path: str) -> list[dict]:
        """What was taken at this path, in order."""
        return [call.body for call in self.taken() if call.path == path]

    def states(self) -> list[str]:
        """The states that were pushed and taken, in order."""
        return [call.body["state"] for call in list(self.pushes) if call.status < 300]

    def taken(self) -> list[Call]:
        return [call for call in list(self.calls) if call.status < 300]

    def _make_handler(self) -> type[BaseHTTPRequestHandler]:
        backend = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Headers and body leave as two packets; Nagle would hold the second for 40 ms.
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = json.loads(self.rfile.read(length))
                is_push = self.path == STATUS
                answer = (backend.answer_push if is_push else backend.answer)(self.path, body)
                status, headers = answer if isinstance(answer, tuple) else (answer, {})
                call = Call(path=self.path, body=body, headers=dict(self.headers), status=status)
                (backend.pushes if self.path == STATUS else backend.calls).append(call)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                pass

        return Handler
