"""Single faults, measured: how long each promise about them takes, with 100 streams open.

python -m tests.soak.recovery

Each figure is printed with its limit; the status is 1 where one was not met.
"""

import argparse
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.kit.waiting import eventually
from tests.soak.records import Database, read_whatsapp
from tests.soak.stage import Stage

STREAMS = 100
SENDS = 100
OUTAGE = 10.0
QUICK = 0.5
"""Seconds that a send may take while Redis is frozen, …"""
MOST_QUICK = 99
"""… and how many of the sends have to keep to it."""
REDIS_BACK = 15.0
"""Seconds after which the first send is out again; so for the rest."""
GATEWAY_BACK = 10.0
ENDED = 25.0
LEASE = 15.0
"""SEND_LEASE where it is not set, as on this stage."""
AFTER_LEASE = 5.0


@dataclass(frozen=True, slots=True)
class Seen:
    """One figure, the limit that was promised for it, and whether it was met; or no promise."""

    told: str
    limit: str = ""
    is_met: bool = True

    def __str__(self) -> str:
        if not self.limit:
            return self.told
        return f"{self.told} [limit: {self.limit}; {'met' if self.is_met else 'NOT MET'}]"


def within(told: str, seconds: float, limit: float) -> Seen:
    """A figure that is a time."""
    return Seen(told, f"{limit:g} s", seconds <= limit)


Measure = Callable[["Scene"], Iterator[Seen]]


class Scene:
    """A stage with an agent at it, and 100 open inboxes."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.customers = stage.make_customers()
        self.database = Database(stage)
        self.client = httpx.Client(base_url=stage.stack.url("web"), timeout=30, trust_env=False)
        self._streams = [_open_stream(stage) for _ in range(STREAMS)]

    def send(self, number: int = 0) -> tuple[int, float, int]:
        """Write to a customer; the answer's status, how many seconds it took, and the id."""
        body = {"customer_id": self.customers[number % len(self.customers)], "content": "Hello"}
        began = time.monotonic()
        answer = self.client.post("/messages/send", json=body)
        return answer.status_code, time.monotonic() - began, answer.json().get("id", 0)

    def wait_for(self, *ids: int, timeout: float = 120) -> float:
        """Seconds until WhatsApp has all of these."""
        began = time.monotonic()
        wanted = set(ids)
        eventually(
            lambda: wanted <= {e["backend_message_id"] for e in read_whatsapp(self.stage)},
            timeout=timeout,
        )
        return time.monotonic() - began

    def dispatch(self, message_id: int) -> str:
        return str(self.database.rows(f"SELECT dispatch FROM messages WHERE id={message_id}"))

    def close(self) -> None:
        for stream in self._streams:
            stream.close()
        self.client.close()
        self.database.close()


def measure_frozen_redis(scene: Scene) -> Iterator[Seen]:
    sent = _send_many(scene)
    yield Seen(f"Redis well: {_describe(sent)}")
    scene.wait_for(*(message for _, _, message in sent))
    scene.stage.redis.freeze()
    sent = _send_many(scene)
    yield _judge(f"Redis frozen: {_describe(sent)}", sent)
    time.sleep(OUTAGE)
    scene.stage.redis.thaw()
    first = scene.send(1)[2]
    seconds = scene.wait_for(first)
    yield within(f"Redis thawed: a new send at WhatsApp after {seconds:.1f} s", seconds, REDIS_BACK)
    rest = scene.wait_for(*(message for _, _, message in sent))
    yield Seen(f"… and all {SENDS} after {rest:.1f} s more")


def _send_many(scene: Scene) -> list[tuple[int, float, int]]:
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(scene.send, range(SENDS)))


def _judge(told: str, sent: list[tuple[int, float, int]]) -> Seen:
    is_met = _quick(sent) >= MOST_QUICK and not _failed(sent)
    return Seen(told, f"{MOST_QUICK} of {SENDS} < {QUICK:g} s, no 5xx", is_met)


def _describe(sent: list[tuple[int, float, int]]) -> str:
    slowest = max(seconds for _, seconds, _ in sent)
    quick = f"{_quick(sent)} of {SENDS} sends < {QUICK:g} s"
    return f"{quick}, slowest {slowest:.2f} s, {_failed(sent)} 5xx"


def _quick(sent: list[tuple[int, float, int]]) -> int:
    return sum(status == 201 and seconds < QUICK for status, seconds, _ in sent)


def _failed(sent: list[tuple[int, float, int]]) -> int:
    return sum(status >= 500 for status, _, _ in sent)


def measure_killed_redis(scene: Scene) -> Iterator[Seen]:
    for keep in (True, False):
        scene.stage.redis.kill()
        queued = [scene.send(number)[2] for number in range(50)]
        time.sleep(OUTAGE)
        scene.stage.redis.restart(keep_data=keep)
        first = scene.wait_for(queued[0])
        rest = scene.wait_for(*queued)
        file = "with" if keep else "without"
        told = (
            f"Redis back {file} its file: first of 50 after {first:.1f} s, all {first + rest:.1f}"
        )
        yield within(told, first, REDIS_BACK)


def measure_killed_worker(scene: Scene) -> Iterator[Seen]:
    scene.stage.misbehave(stalls=100, stall_seconds=30)
    message = scene.send(2)[2]
    eventually(lambda: "sending" in scene.dispatch(message), timeout=30)
    began = time.monotonic()
    scene.stage.stack.program("worker").kill()
    scene.stage.misbehave(stalls=0)
    scene.stage.stack.program("worker").start()
    eventually(lambda: "mapped" in scene.dispatch(message), timeout=60)
    times = sum(e["backend_message_id"] == message for e in read_whatsapp(scene.stage))
    limit, seconds = LEASE + AFTER_LEASE, time.monotonic() - began
    told = f"worker killed in a send: mapped after {seconds:.1f} s, sent {times}×"
    yield Seen(told, f"{limit:g} s, sent once", seconds <= limit and times == 1)
    message = _claimed_and_killed(scene)
    seconds = scene.wait_for(message)
    told = f"worker frozen in a claim, then killed: at WhatsApp after {seconds:.1f} s"
    yield within(told, seconds, limit)


def _claimed_and_killed(scene: Scene) -> int:
    """A message that a worker claimed and that never reached the gateway."""
    gateway, worker = (scene.stage.stack.program(name) for name in ("gateway", "worker"))
    gateway.freeze()
    message = scene.send(3)[2]
    eventually(lambda: "sending" in scene.dispatch(message), timeout=30, interval=0.01)
    worker.kill()
    gateway.kill()
    gateway.start()
    worker.start()
    return message


def measure_gateway_away(scene: Scene) -> Iterator[Seen]:
    gateway = scene.stage.stack.program("gateway")
    gateway.kill()
    waiting = [scene.send(number)[2] for number in range(40)]
    time.sleep(2 * OUTAGE)
    gateway.start()
    scene.stage.stack.wait_until_up("gateway")
    first = scene.wait_for(waiting[0])
    rest = scene.wait_for(*waiting)
    told = f"gateway back: first of 40 after {first:.1f} s, all after {first + rest:.1f} s"
    yield within(told, first, GATEWAY_BACK)


def measure_sigterm(scene: Scene) -> Iterator[Seen]:
    scene.stage.misbehave(stalls=100, stall_seconds=30)
    for number in range(5):
        scene.send(number)
    time.sleep(1)
    programs = scene.stage.stack.programs
    began = time.monotonic()
    for program in programs.values():
        program.ask_to_end()
    took = {}
    for name, program in programs.items():
        program.wait(60)
        took[name] = f"{name} {time.monotonic() - began:.1f} s"
    told = f"SIGTERM to all, {STREAMS} streams and 5 stalled sends: {', '.join(took.values())}"
    yield within(told, time.monotonic() - began, ENDED)


MEASURES: tuple[Measure, ...] = (
    measure_frozen_redis,
    measure_killed_redis,
    measure_killed_worker,
    measure_gateway_away,
    measure_sigterm,
)


def _open_stream(stage: Stage) -> socket.socket:
    stream = socket.create_connection(("127.0.0.1", stage.stack.ports["web"]), timeout=30)
    stream.sendall(b"GET /messages/events/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert stream.recv(1024).startswith(b"HTTP/1.1 200")
    threading.Thread(target=_drain, args=(stream,), daemon=True).start()
    return stream


def _drain(stream: socket.socket) -> None:
    stream.settimeout(None)
    try:
        while stream.recv(65536):
            pass
    except OSError:
        return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    database = parser.parse_args().database
    with (
        tempfile.TemporaryDirectory(prefix="crm-recovery-") as folder,
        Stage(Path(folder), database=database, gateway="simulator", seed=1) as stage,
    ):
        scene = Scene(stage)
        missed = 0
        for measure in MEASURES:
            for seen in measure(scene):
                print(seen, flush=True)
                missed += not seen.is_met
        scene.close()
    sys.exit(missed > 0)


if __name__ == "__main__":
    main()
