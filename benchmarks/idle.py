"""What everything that `make run` starts takes while nothing happens: seconds to start, memory.

python -m benchmarks.idle
"""

import tempfile
import time
from pathlib import Path

import redis

from benchmarks import processes
from benchmarks.machine import describe_machine
from tests.kit.redis_server import RedisServer
from tests.kit.stack import Stack

ALL = ("web", "worker", "beat", "gateway", "flower")
SETTLING = 8.0
"""Seconds after the start before memory is read."""


def main() -> None:
    """Start all, wait a little, print."""
    processes.end_in_order()
    with tempfile.TemporaryDirectory(prefix="crm-idle-") as folder:
        server = RedisServer(Path(folder) / "redis")
        settings = {"LOG_LEVEL": "WARNING", "SIMULATOR_PEOPLE": "false"}
        stack = Stack(Path(folder), redis=server, settings=settings)
        try:
            server.start()
            started = time.monotonic()
            stack.start(*ALL)
            seconds = time.monotonic() - started
            time.sleep(SETTLING)
            sizes = {name: processes.megabytes(stack.program(name).pid) for name in ALL}
            with server.client() as client:
                sizes["redis"] = processes.megabytes(_server_pid(client))
        finally:
            stack.end()
            server.end()
    print("\n".join(describe_machine("all for all")))
    print(f"- migrations and all processes, to the first answers: {seconds:.1f} s")
    shown = ", ".join(f"{name} {size:.0f}" for name, size in sizes.items())
    print(f"- idle memory (PSS): {sum(sizes.values()):.0f} MB ({shown})")


def _server_pid(client: "redis.Redis[str]") -> int:
    return int(client.info("server")["process_id"])


if __name__ == "__main__":
    main()
