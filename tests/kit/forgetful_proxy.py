"""A firewall between a program and its server, which forgets connections without a word."""

import select
import socket
import socketserver
import threading
from typing import Self


class ForgetfulProxy(socketserver.ThreadingTCPServer):
    """Passes bytes on to a port of this machine, from a free one."""

    daemon_threads = True

    def __init__(self, target: int) -> None:
        super().__init__(("127.0.0.1", 0), _Flow)
        self.target = target
        self.known: set[_Flow] = set()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def forget(self) -> None:
        """Neither end is told: who speaks next on a connection that is open now finds it closed."""
        self.known.clear()

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Flow(socketserver.BaseRequestHandler):
    server: ForgetfulProxy

    def handle(self) -> None:
        self.server.known.add(self)
        with socket.create_connection(("127.0.0.1", self.server.target)) as behind:
            other = {self.request: behind, behind: self.request}
            while True:
                for ready in select.select(list(other), [], [])[0]:
                    data = ready.recv(65536)
                    if not data or self not in self.server.known:
                        return
                    other[ready].sendall(data)
