"""Free loopback ports, for servers that must know theirs before they start."""

import itertools
import os
import socket

FIRST, COUNT = 20_000, 12_000
"""Below the range from which the kernel takes ports for outgoing connections (from 32768)."""

# Test processes that run side by side begin far from each other, and none takes a port twice.
_numbers = itertools.count(os.getpid() * 1009)


def free_port() -> int:
    """A port that nothing on this machine listens on."""
    for number in itertools.islice(_numbers, COUNT):
        port = FIRST + number % COUNT
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise RuntimeError(f"no free port between {FIRST} and {FIRST + COUNT}")
