"""Flower as it is started: closed to strangers, and off in production unless it was asked for."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from flower.urls import handlers

from tests.kit.ports import free_port
from tests.kit.programs import Program
from tests.kit.redis_server import RedisServer
from tests.kit.stack import procfile_program
from tests.kit.waiting import eventually

pytestmark = pytest.mark.processes
ACCOUNT = ("ops", "p" * 16)
PRODUCTION = {
    "APP_ENV": "production", "INTERNAL_TOKEN": "i" * 32, "SECRET_KEY": "s" * 32,
    "HOST": "127.0.0.1",
}  # fmt: skip
OPEN = {"/healthcheck", "/static/(.*)", "/login/?", "/logout", ".*"}
"""Health, files of Flower's own, its sign-in of other kinds (404 here), and its 404 page."""


class Flower:
    def __init__(self, folder: Path, redis: RedisServer, **settings: str) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        environment = {"VAR_DIR": str(folder), "PORT": str(port), "REDIS_URL": redis.url}
        self.program: Program = procfile_program(
            "flower", environment=environment | settings, log=folder / "flower.log"
        )
        self.program.start()

    def wait(self) -> None:
        eventually(lambda: httpx.get(f"{self.url}/healthcheck").status_code == 200, timeout=60)


@pytest.fixture(scope="module")
def flower(tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer) -> Iterator[Flower]:
    """In production, with an account."""
    account = {"FLOWER_BASIC_AUTH": ":".join(ACCOUNT)}
    started = Flower(tmp_path_factory.mktemp("flower"), redis_server, **PRODUCTION, **account)
    try:
        started.wait()
        yield started
    finally:
        started.program.end()


def paths() -> list[str]:
    """Every path that Flower knows, its wildcards filled in."""
    patterns = [
        each[0] if isinstance(each, tuple) else each.regex.pattern.rstrip("$") for each in handlers
    ]
    return [re.sub(r"\(\.[+*]\)", "x", pattern) for pattern in patterns if pattern not in OPEN]


def test_no_page_is_shown_without_the_password(flower: Flower) -> None:
    assert len(paths()) > 20
    for path in paths():
        for account in (None, ("ops", "wrong"), ("", "")):
            for method in ("GET", "POST"):
                answer = httpx.request(method, f"{flower.url}{path}", auth=account)
                assert answer.status_code in (401, 403, 405), (method, path, answer.status_code)
        assert httpx.get(f"{flower.url}{path}").status_code in (401, 405), path


def test_the_password_opens_it(flower: Flower) -> None:
    for path in ("/", "/metrics", "/tasks", "/broker"):
        assert httpx.get(f"{flower.url}{path}", auth=ACCOUNT, timeout=20).status_code == 200, path


def test_another_sites_page_cannot_use_the_browsers_password(flower: Flower) -> None:
    url = f"{flower.url}/api/worker/shutdown/x"
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = httpx.post(url, auth=ACCOUNT, headers=headers, timeout=20)
        assert answer.status_code == 403


@pytest.mark.parametrize("account", ["", "ops", "ops:", ":secret", f"ops:{'p' * 15}"])
def test_in_production_it_is_off_without_a_good_password(
    tmp_path: Path, redis_server: RedisServer, account: str
) -> None:
    flower = Flower(tmp_path, redis_server, **PRODUCTION, FLOWER_BASIC_AUTH=account)
    try:
        assert flower.program.wait(60) not in (0, None)
    finally:
        flower.program.end()
    (sentence,) = [line for line in flower.program.output().splitlines() if "Cannot" in line]
    assert "FLOWER_BASIC_AUTH" in sentence
    assert "Traceback" not in flower.program.output()
    assert not account.partition(":")[2] or account.partition(":")[2] not in sentence
