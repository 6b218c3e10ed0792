"""A gateway that takes every send at once and does nothing: what a worker costs without it.

PORT=… SENDS_LOG=file python -m benchmarks.peers.quick_gateway
"""

import asyncio
import os
from pathlib import Path

BODY = b'{"status":"accepted","message":"Message queued for sending"}'
ANSWER = (
    b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
    % (len(BODY), BODY)
)


class Door(asyncio.Protocol):
    """One keep-alive connection; each request's body becomes a line of the log."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        while (request := self._whole_request()) is not None:
            if request:
                with self._log.open("ab") as file:
                    file.write(request + b"\n")
            self._transport.write(ANSWER)

    def _whole_request(self) -> bytes | None:
        """The body of the first request, taken off; None where more has to come."""
        head, ended, rest = self._data.partition(b"\r\n\r\n")
        if not ended:
            return None
        _, given, number = head.lower().partition(b"\r\ncontent-length:")
        length = int(number.split(b"\r\n")[0]) if given else 0
        if len(rest) < length:
            return None
        self._data = rest[length:]
        return rest[:length]


async def main() -> None:
    """Serve for ever."""
    log = Path(os.environ["SENDS_LOG"])
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Door(log), "127.0.0.1", int(os.environ["PORT"]))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
