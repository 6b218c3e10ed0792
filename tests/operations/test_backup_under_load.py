"""A backup taken while messages flow, restored elsewhere, and what is there then."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import StackFactory
from tests.e2e.scene import Scene
from tests.kit.stack import Stack
from tests.kit.waiting import eventually
from tests.operations.command import make

pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]
PICTURE = b"\x89PNG" * 1000
SETTINGS = {"SIMULATOR_PEOPLE": "false"}


SceneFactory = Callable[[Stack], Scene]


@pytest.fixture
def make_scene() -> Iterator[SceneFactory]:
    scenes: list[Scene] = []

    def make(stack: Stack) -> Scene:
        scenes.append(Scene(stack))
        return scenes[-1]

    yield make
    for scene in scenes:
        scene.web.close()


@contextmanager
def sending(scene: Scene) -> Iterator[dict[int, str]]:
    """Messages all the time; yields those that were answered with 201, by id."""
    answered: dict[int, str] = {}
    customers = [scene.customer(number) for number in range(5)]
    done, faults = threading.Event(), list[Exception]()

    def write() -> None:
        number = 0
        try:
            while not done.is_set():
                number += 1
                text = f"text {number}"
                answered[scene.send(customers[number % 5], text)] = text
        except Exception as error:
            faults.append(error)

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    try:
        yield answered
    finally:
        done.set()
        thread.join(60)
    assert faults == []


def rows(file: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(query).fetchall()


def restored(stack: Stack, archive: Path, **options: int) -> tuple[Path, Path]:
    """Restore into this stack's empty folders; its two databases."""
    result = make("restore", stack.environment, FILE=archive, **options)
    assert result.status == 0, result.output
    return stack.var_dir / "crm.sqlite3", stack.var_dir / "gateway.sqlite3"


def require_copies_that_fit(backend: Path, gateway: Path, before: dict[int, str]) -> None:
    """Nothing is missing, nothing waits to be sent, and the store is not the older one."""
    kept = dict(rows(backend, "SELECT id, content FROM messages"))
    assert before.items() <= kept.items()
    assert rows(backend, "SELECT id FROM messages WHERE dispatch IN ('queued', 'sending')") == []
    known = {row[0] for row in rows(gateway, "SELECT backend_message_id FROM sends")}
    handed_over = "SELECT id FROM messages WHERE dispatch IN ('accepted', 'mapped')"
    assert {row[0] for row in rows(backend, handed_over)} <= known


def test_what_was_answered_before_the_backup_is_there_and_nothing_is_sent_twice(
    make_stack: StackFactory, make_scene: SceneFactory, tmp_path: Path
) -> None:
    stack = make_stack(settings=SETTINGS)
    stack.start()
    (stack.var_dir / "media").mkdir()
    (stack.var_dir / "media" / "picture").write_bytes(PICTURE)
    archive, scene = tmp_path / "crm.tar.gz", make_scene(stack)
    with sending(scene) as answered:
        eventually(lambda: len(scene.journal()) > 10, timeout=60)
        before = dict(answered)
        result = make("backup", stack.environment, FILE=archive)
        during = len(answered) - len(before)
    assert result.status == 0, result.output
    assert during > 0, "nothing was sent while the backup ran"
    assert archive.stat().st_mode & 0o077 == 0
    assert list(tmp_path.glob(".backup-*")) == []
    stack.end()

    elsewhere = make_stack(settings=SETTINGS)
    backend, gateway = restored(elsewhere, archive)
    require_copies_that_fit(backend, gateway, before)
    assert (elsewhere.var_dir / "media" / "picture").read_bytes() == PICTURE

    elsewhere.start()
    again = make_scene(elsewhere)
    new = again.send(1, "after the restore")
    assert new > max(answered) + 100_000, "an id that the gateway may know"
    again.wait_until_mapped([new], timeout=60)
    # Those that went out before the backup may be heard of; none may be sent anew.
    assert set(again.journal()) == {new}
    states = {again.message(message_id)["dispatch"] for message_id in before}
    assert states <= {"mapped", "accepted", "unknown"}
    stream = elsewhere.url("web", "/messages/events/stream?lastEventId=5")
    with httpx.stream("GET", stream, timeout=20) as answer:
        lines = answer.iter_lines()
        assert any('"reset"' in line for _, line in zip(range(12), lines, strict=False))


def test_a_move_to_another_machine_goes_on_with_what_waits(
    make_stack: StackFactory, make_scene: SceneFactory, tmp_path: Path
) -> None:
    stack = make_stack(settings=SETTINGS)
    stack.start("web")
    scene = make_scene(stack)
    waiting = scene.send_many(6, customers=2)
    stack.end()
    archive = tmp_path / "crm.tar.gz"
    assert make("backup", stack.environment, FILE=archive).status == 0
    elsewhere = make_stack(settings=SETTINGS)
    restored(elsewhere, archive, RESUME=1)
    elsewhere.start()
    there = make_scene(elsewhere)
    there.wait_until_mapped(waiting, timeout=60)
    assert sorted(there.journal()) == waiting
