"""A gateway in this process or in its own, and a small backend that records what it is told."""

import dataclasses
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from config.settings import Settings, load_settings
from gateway.app import create_app
from gateway.drivers import make_driver
from gateway.drivers.base import Driver, DriverState
from gateway.service import GatewayService
from gateway.store.database import Store
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
