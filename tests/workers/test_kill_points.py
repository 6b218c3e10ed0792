"""A kill at each point between claim and commit: each message goes out once, and the next follows.

Of a job of one message, and of one of three.

Seen to fail in a copy whose sweep did not release leases that ran out: everything from the claim's
commit on stayed `sending` for ever, and the customer's next message with it.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from config.settings import PROJECT_ROOT
from crm.models import Message
from tests.kit.app import Backend, running_backend
from tests.kit.foreign_gateway import ForeignGateway
from tests.kit.programs import Program
from tests.kit.redis_server import RedisServer
from tests.kit.stack import PATH, Stack
from tests.kit.waiting import eventually
from tests.services.shop import Shop

pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]

LEASE = "3"
OUTSIDE = "after the call before the answer"
BETWEEN = "between two settlings"
POINTS = {
    "in the claim before its commit": ("queued", 0),
    "after the claim before the call": ("sending", 0),
    OUTSIDE: ("sending", 1),
    "after the answer before settling": ("sending", 1),
    "in the settling before its commit": ("sending", 1),
    "after the settling before its hints": ("accepted", 1),
}
"""Each point, the state that is stored then, and how many orders the gateway has by then."""
KILLS = {
    **{f"{point}, of one": (point, [found]) for point, found in POINTS.items()},
    **{f"{point}, of three": (point, [found] * 3) for point, found in POINTS.items()},
    BETWEEN: (BETWEEN, [("accepted", 1), ("sending", 1), ("sending", 1)]),
}
"""The point, and that of each message of the job."""
RECOVERED = 90.0
"""Seconds, however busy the machine is; the figure itself is test_faults.py's."""
Found = tuple[str, int]


@dataclass
class Scene:
    """What is left after a kill at every point, and the gateway that saw it."""

    shop: Shop
    gateway: ForeignGateway
    stack: Stack
    killed: dict[str, list[tuple[int, int]]]
    """Of each kill the messages whose worker died, each with its customer's next one."""
    at_death: dict[str, list[Found]]
    """The stored state at that moment, and the orders that the gateway had, of each."""


@pytest.fixture(scope="module")
def scene(
    database_url: str, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    """Kills first, with no worker about; then a real worker and beat find what is left."""
    directory = tmp_path_factory.mktemp("killed")
    with ExitStack() as stack_of:
        backend = stack_of.enter_context(running_backend(database_url, redis_server.url))
        stack = Stack(
            directory / "stack",
            redis=redis_server,
            database_url=database_url,
            settings={"SEND_LEASE": LEASE},
        )
        gateway = stack_of.enter_context(ForeignGateway(stack.ports["gateway"]))
        scene = Scene(Shop(backend), gateway, stack, {}, {})
        for number, kill in enumerate(KILLS):
            _kill(scene, kill, f"6012{number:05}", directory / f"{number}.log")
        stack_of.callback(stack.end)
        stack.start("worker", "beat")
        yield scene


def _kill(scene: Scene, kill: str, phone: str, log: Path) -> None:
    point, expected = KILLS[kill]
    customers = [scene.shop.customer(f"{phone}{number:02}") for number in range(len(expected))]
    pairs = [(scene.shop.send(each, "one"), scene.shop.send(each, "two")) for each in customers]
    scene.killed[kill] = pairs
    message_ids = [message_id for message_id, _ in pairs]
    worker = Program(
        [sys.executable, "-m", "tests.workers.killed_at", point, *map(str, message_ids)],
        environment={"PATH": PATH, **scene.stack.environment},
        log=log,
        directory=PROJECT_ROOT,
    )
    if point == OUTSIDE:
        scene.gateway.answers.clear()
        worker.start()
        eventually(lambda: all(map(scene.gateway.orders_for, message_ids)), timeout=60)
        worker.kill()
        scene.gateway.answers.set()
    else:
        worker.start()
        assert worker.wait(60) == -9, worker.output()
    scene.at_death[kill] = [
        (str(_row(scene, each).dispatch), len(scene.gateway.orders_for(each)))
        for each in message_ids
    ]


def _row(scene: Scene, message_id: int) -> Message:
    return scene.shop.row(message_id)


@pytest.mark.parametrize("kill", KILLS)
def test_it_died_where_it_was_meant_to(scene: Scene, kill: str) -> None:
    assert scene.at_death[kill] == KILLS[kill][1]


@pytest.mark.parametrize("kill", KILLS)
def test_each_message_goes_out_once_and_the_next_one_follows(scene: Scene, kill: str) -> None:
    for (message_id, next_id), found in zip(scene.killed[kill], scene.at_death[kill], strict=True):
        _see_it_recover(scene, message_id, next_id, found)


def _see_it_recover(scene: Scene, message_id: int, next_id: int, found: Found) -> None:
    for each in (message_id, next_id):
        eventually(lambda each=each: _row(scene, each).dispatch == "accepted", timeout=RECOVERED)
    mine = [sent for sent in scene.gateway.sent_ids() if sent in (message_id, next_id)]
    assert mine == [message_id, next_id]
    assert {order["attempt"] for order in scene.gateway.orders_for(message_id)} == {1}
    state, orders = found
    row = _row(scene, message_id)
    assert (row.lost_leases, row.maybe_written) == (state == "sending", state == "sending")
    assert len(scene.gateway.orders_for(message_id)) == orders + (state != "accepted")
    told = [state["status"] for state in scene.shop.told(message_id)]
    assert told.count("accepted") == 1 and told[-1] == "accepted"


def test_every_event_of_a_dead_worker_was_either_told_or_undone(scene: Scene) -> None:
    backend: Backend = scene.shop.backend
    killed = [message_id for pairs in scene.killed.values() for message_id, _ in pairs]
    eventually(
        lambda: all(_row(scene, each).dispatch == "accepted" for each in killed),
        timeout=RECOVERED,
    )
    ids = scene.shop.event_ids()
    assert ids == sorted(set(ids))
    for message_id in killed:
        claims = [s for s in scene.shop.told(message_id) if s["status"] == "sending"]
        assert len(claims) == _row(scene, message_id).claims
    assert backend.event_types().count("outbound_message") == 2 * len(killed)
