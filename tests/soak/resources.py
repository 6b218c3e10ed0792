"""What the processes hold: memory, file descriptors, threads, Redis keys and connections."""

from contextlib import suppress

import psutil

from tests.soak.stage import Stage

Held = dict[str, float]


def measure(stage: Stage) -> dict[str, Held]:
    """Sums over each process and its children, memory in MB; and what Redis counts."""
    held = {name: _of_process(pid) for name, pid in sorted(stage.pids().items())}
    with stage.redis.client() as client:
        connections = client.info("clients")["connected_clients"]
        keys = client.info("keyspace").get("db0", {"keys": 0, "expires": 0})
        # The others are gone in minutes by themselves.
        lasting = float(keys["keys"] - keys["expires"])
        held["redis"] = {"lasting keys": lasting, "connections": float(connections)}
    return held


def grown(before: dict[str, Held], after: dict[str, Held], *, limit: float = 1.1) -> list[str]:
    """What grew by more than a tenth, and by more than a few."""
    return [
        f"{name}: {what} {value:g} → {after[name][what]:g}"
        for name, things in before.items()
        for what, value in things.items()
        if after.get(name, {}).get(what, 0) > max(value * limit, value + 5)
    ]


def _of_process(pid: int) -> Held:
    held = {"processes": 0.0, "MB": 0.0, "fds": 0.0, "threads": 0.0}
    with suppress(psutil.NoSuchProcess):
        master = psutil.Process(pid)
        for process in (master, *master.children(recursive=True)):
            held["processes"] += 1
            held["MB"] += round(process.memory_info().rss / 2**20, 1)
            held["fds"] += process.num_fds()
            held["threads"] += process.num_threads()
    return held
