"""Servers and processes that tests share; each test process has its own, on free ports."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import httpx
import pytest

from tests.kit.certificate import Certificate, make_certificate
from tests.kit.leaks import known as known_leaks
from tests.kit.postgres import PostgresServer, running_postgres
from tests.kit.redis_server import RedisServer
from tests.kit.stack import Stack

SETTINGS = (
    "APP_ENV AUDIT_DAYS AUTH_REQUIRED BACKEND_URL CORS_ORIGINS DATABASE_URL FLASK_DEBUG "
    "FLOWER_BASIC_AUTH GATEWAY_DATABASE_URL "
    "GATEWAY_DRIVER GATEWAY_URL GRAPH_URL HOST INTERNAL_TOKEN LOG_LEVEL MEDIA_KEEP_DAYS "
    "MEDIA_MAX_BYTES PACE_CHAT_GAP PACE_FRESH_DAYS PACE_FRESH_PER_DAY PACE_PER_MINUTE "
    "PAGES_DIR PORT PROBE_INTERVAL PROXY_HOPS QUIET_HOURS RATE_LIMIT READ_RECEIPTS REDIS_URL "
    "RETENTION_DAYS SECRET_KEY SEND_LEASE SEND_RETRY_BASE SIMULATOR_PAGE SIMULATOR_PEOPLE "
    "STREAMS_PER_AGENT TIME_ZONE "
    "WEB_CONCURRENCY WEB_STARTED_AT WEB_THREADS WEB_WORKER_CLASS WHATSAPP_APP_SECRET "
    "WHATSAPP_BUSINESS_ID WHATSAPP_PHONE_ID WHATSAPP_TOKEN WHATSAPP_VERIFY_TOKEN"
).split()
StackFactory = Callable[..., Stack]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--complete",
        action="store_true",
        help="fail, rather than skip, where this machine lacks something",
    )


@pytest.fixture(scope="session", autouse=True)
def own_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The settings of whoever runs the tests do not reach them, and their data stays untouched."""
    with pytest.MonkeyPatch.context() as environment:
        for name in SETTINGS:
            environment.delenv(name, raising=False)
        environment.setenv("VAR_DIR", str(tmp_path_factory.mktemp("var")))
        yield


@pytest.fixture(scope="session", autouse=True)
def heard() -> Iterator[None]:
    """What tests send by httpx, and are answered, is known to them alone."""
    send = httpx.Client.send

    def listened(client: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
        answer = send(client, request, **options)
        known_leaks.hear(request, answer)
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpx.Client, "send", listened)
        yield


@pytest.fixture(autouse=True)
def quiet_logs() -> Iterator[None]:
    """Fails a test whose programs logged a phone, a text, a token or a password."""
    yield
    found = known_leaks.find()
    assert found == [], "\n".join(found[:10])


@pytest.fixture(scope="session")
def lacking(pytestconfig: pytest.Config) -> Callable[[str], NoReturn]:
    """Call it with one sentence when the machine cannot have what a test needs: skips, or fails
    under --complete."""

    def lacks(sentence: str) -> NoReturn:
        if pytestconfig.getoption("--complete"):
            pytest.fail(sentence, pytrace=False)
        pytest.skip(sentence)

    return lacks


@pytest.fixture(scope="session")
def certificate(
    lacking: Callable[[str], NoReturn], tmp_path_factory: pytest.TempPathFactory
) -> Certificate:
    """For a server that speaks TLS."""
    return make_certificate(tmp_path_factory.mktemp("certificate"), lacking)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A real Redis for everything that does not harm it. To kill one, make a `RedisServer`."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    try:
        server.start()
        yield server
    finally:
        server.end()


@pytest.fixture(scope="session")
def postgres(lacking: Callable[[str], NoReturn]) -> Iterator[PostgresServer]:
    """A real PostgreSQL; `create_database()` gives the URL of a new, empty database."""
    with running_postgres(lacking) as server:
        yield server


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of an empty database of this module's own; the module runs on both kinds."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('database') / 'crm.sqlite3'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.create_database()


@pytest.fixture
def make_stack(tmp_path: Path) -> Iterator[StackFactory]:
    """Makes a `Stack` with a Redis of its own: `make_stack(database_url=…, settings={…})`."""
    redis, stacks = RedisServer(tmp_path / "redis"), list[Stack]()

    def make(**options: object) -> Stack:
        stack = Stack(tmp_path / f"stack{len(stacks)}", redis=redis, **options)  # type: ignore[arg-type]
        stacks.append(stack)
        return stack

    redis.start()
    try:
        yield make
    finally:
        for stack in stacks:
            stack.end()
        redis.end()
