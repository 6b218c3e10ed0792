"""A real Redis of a test's own, on a free port, that can be killed and frozen."""

import os
from pathlib import Path

import redis

from config.redis import find_server, write_config
from tests.kit.ports import free_port
from tests.kit.programs import Program
from tests.kit.waiting import eventually


class RedisServer:
    """Keeps its data in `directory` over restarts; `url` stays the same."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        config = write_config(directory, port=self.port)
        self._program = Program(
            [find_server(), config],
            environment={"PATH": os.defpath},
            log=directory / "output.log",
        )

    def start(self) -> None:
        """Start it, with the data of the last time, and wait until it answers."""
        self._program.start()
        eventually(self.answers)

    def answers(self) -> bool:
        with self.client() as client:
            return bool(client.ping())

    def client(self) -> "redis.Redis[str]":
        """A client of its own; use it as a context manager, so that it is closed."""
        return redis.Redis.from_url(self.url, socket_timeout=5, decode_responses=True)

    def stop(self) -> None:
        """End it in peace, its data written."""
        self._program.stop()

    def kill(self) -> None:
        """kill -9: up to a second of data may be lost."""
        self._program.kill()

    def freeze(self) -> None:
        """SIGSTOP: connections stay open, nothing is answered."""
        self._program.freeze()

    def thaw(self) -> None:
        self._program.thaw()

    def restart(self, *, keep_data: bool = True) -> None:
        """Kill it and start it again, with or without its file."""
        self.kill()
        if not keep_data:
            for file in self.directory.rglob("*.aof*"):
                file.unlink()
        self.start()

    def end(self) -> None:
        self._program.end()
