"""A gateway in this process or in its own, and a small backend that records what it is told."""

import base64
import dataclasses
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from config.settings import Settings, load_settings
from gateway.app import create_app
from gateway.clock import now
from gateway.drivers import make_driver
from gateway.drivers.base import Driver, DriverState
from gateway.service import GatewayService
from gateway.store.database import Store
from gateway.store.sends import add_send, find_attempts
from tests.gateway.backend import RecordingBackend
from tests.gateway.process import GatewayProcess
from tests.gateway.sink import RecordingSink
from tests.kit.graph_server import GraphServer
from tests.kit.waiting import eventually

PHONE = "60123456789"


@pytest.fixture
def backend() -> Iterator[RecordingBackend]:
    recording = RecordingBackend()
    recording.start()
    yield recording
    recording.stop()


@pytest.fixture
def settings(tmp_path, monkeypatch: pytest.MonkeyPatch, backend: RecordingBackend) -> Settings:
    for name in ("INTERNAL_TOKEN", "HOST", "PORT", "GATEWAY_DATABASE_URL", "SIMULATOR_PAGE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("APP_ENV", "testing")
    monkeypatch.setenv("VAR_DIR", str(tmp_path))
    monkeypatch.setenv("BACKEND_URL", backend.url)
    return load_settings("gateway")


@pytest.fixture
def idle_app(settings: Settings) -> Iterator[Flask]:
    """The app without its background threads."""
    app = create_app(settings)
    yield app
    app.extensions["gateway"].stop()


@pytest.fixture
def app(idle_app: Flask) -> Flask:
    """The app with its background threads, connected to the pretend WhatsApp."""
    service: GatewayService = idle_app.extensions["gateway"]
    service.start()
    assert service.wait_until_running(10)
    return idle_app


@pytest.fixture
def service(app: Flask) -> GatewayService:
    return app.extensions["gateway"]


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    kept = Store(settings.gateway_database_url)
    kept.create_tables()
    yield kept
    kept.close()


@pytest.fixture
def send(client: FlaskClient) -> Callable[..., int]:
    """Order a send; returns the status."""

    def order(message_id: int, message: str = "hello", **more: object) -> int:
        body = {"to": PHONE, "message": message, "backend_message_id": message_id, **more}
        return client.post("/send", json=body).status_code

    return order


@pytest.fixture
def misbehave(client: FlaskClient) -> Callable[..., None]:
    def order(**changes: object) -> None:
        assert client.post("/simulator/misbehave", json=changes).status_code == 200

    return order


@pytest.fixture
def process(settings: Settings, tmp_path) -> Iterator[GatewayProcess]:
    """The real gateway under gunicorn, not yet started."""
    running = GatewayProcess(tmp_path, settings.backend_url)
    yield running
    running.kill()


@pytest.fixture
def queue(store):
    """Stores accepted sends, one per message id."""

    def put(*message_ids: int, chat: str = PHONE, **more: object) -> None:
        with store.transaction() as connection:
            for message_id in message_ids:
                row = {
                    "backend_message_id": message_id,
                    "attempt": 1,
                    "chat": chat,
                    "text": f"text {message_id}",
                    "priority": 0,
                    "due_at": 0.0,
                    "accepted_at": now(),
                    "request_id": "r",
                }
                add_send(connection, row | more)

    return put


@pytest.fixture
def newest(store):
    def look(message_id: int):
        with store.reading() as connection:
            return find_attempts(connection, message_id)[0]

    return look


@pytest.fixture
def write_file(client: FlaskClient) -> Callable[..., str]:
    """A customer writes with a file; returns WhatsApp's id."""

    def say(
        text: str = "look", *, phone: str = PHONE, data: bytes | None = None, **more: object
    ) -> str:
        media = dict(more)
        if data is not None:
            media["data"] = base64.b64encode(data).decode()
        body = {"phone": phone, "text": text, "media": media}
        answer = client.post("/simulator/inbound", json=body)
        assert answer.status_code == 201, answer.json
        return answer.json["whatsapp_id"]

    return say


@pytest.fixture
def fetched(backend: RecordingBackend) -> Callable[..., list[dict]]:
    """The files that the backend was told about, once there are so many."""

    def wait(count: int = 1) -> list[dict]:
        eventually(lambda: len(backend.bodies("/messages/media")) >= count)
        return [body["media"] for body in backend.bodies("/messages/media")]

    return wait


@pytest.fixture
def get(client: FlaskClient) -> Callable[..., TestResponse]:
    """Fetches a file, and lets go of it."""
    return partial(client.get, buffered=True)


@pytest.fixture
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphServer]:
    """A pretend Graph server; its webhook is to be set by whoever has one."""
    server = GraphServer(tmp_path_factory.mktemp("graph") / "graph.jsonl")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def cloud_settings(
    settings: Settings, graph: GraphServer, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    for name, value in graph.environment.items():
        monkeypatch.setenv(name, value)
    return load_settings("gateway")


@pytest.fixture
def sink() -> RecordingSink:
    return RecordingSink()


@pytest.fixture
def connect_cloud(cloud_settings: Settings, sink: RecordingSink) -> Iterator[Callable[..., Driver]]:
    """Connects a driver to the pretend Graph server, with other settings where asked for."""
    made: list[Driver] = []

    def run(**changes: object) -> Driver:
        driver = make_driver(_change_cloud(cloud_settings, changes))
        made.append(driver)
        driver.connect(sink)
        return driver

    yield run
    for driver in made:
        driver.disconnect()


def _change_cloud(settings: Settings, changes: dict[str, object]) -> Settings:
    return dataclasses.replace(settings, cloud=dataclasses.replace(settings.cloud, **changes))


@pytest.fixture
def cloud(connect_cloud: Callable[..., Driver]) -> Driver:
    """The driver `cloud`, ready."""
    driver = connect_cloud()
    eventually(lambda: driver.state() is DriverState.READY)
    return driver
