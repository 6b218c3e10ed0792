"""Free loopback ports, for servers that must know theirs before they start."""

import fcntl
import itertools
import os
import socket
import tempfile
from pathlib import Path

FIRST, COUNT = 20_000, 12_000
"""Below the range from which the kernel takes ports for outgoing connections (from 32768)."""
TAKEN = Path(tempfile.gettempdir()) / f"crm-test-ports-{os.getuid()}"

# Test processes that run side by side begin far from each other, and none takes a port twice.
_numbers = itertools.count(os.getpid() * 1009)
_held: list[int] = []


def free_port() -> int:
    """A port that nothing on this machine listens on, and no other test process is given.

    Its server may be away for a while: whoever took its place would be taken for it.
    """
    TAKEN.mkdir(mode=0o700, exist_ok=True)
    for number in itertools.islice(_numbers, COUNT):
        port = FIRST + number % COUNT
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if _take(port):
            return port
    raise RuntimeError(f"no free port between {FIRST} and {FIRST + COUNT}")


def _take(port: int) -> bool:
    """Hold it until this process ends, however it does; False where another one holds it."""
    file = os.open(TAKEN / str(port), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return False
    _held.append(file)
    return True
