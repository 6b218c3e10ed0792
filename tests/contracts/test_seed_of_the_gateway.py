"""The gateway's part of the seed, against the gateway's own app."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from config.settings import load_settings
from gateway.app import create_app
from tests.contracts.seed import example, find_difference
from tests.kit.graph_server import GraphServer
from tests.kit.waiting import eventually


@pytest.fixture(params=["simulator", "cloud"])
def gateway(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FlaskClient]:
    """A gateway that keeps what it is told; the driver `cloud` with a pretend Graph server."""
    monkeypatch.setenv("VAR_DIR", str(tmp_path))
    graph = GraphServer(tmp_path / "graph.jsonl")
    graph.start()
    for name, value in graph.environment.items() if request.param == "cloud" else ():
        monkeypatch.setenv(name, value)
    app = create_app(load_settings("gateway"))
    gateway = app.extensions["gateway"]
    gateway.start()
    assert gateway.wait_until_running(30)
    eventually(lambda: gateway.health.is_ready())
    yield app.test_client()
    gateway.stop()
    graph.stop()


def test_the_status_is_as_the_seed_shows(gateway: FlaskClient) -> None:
    answer = gateway.get("/status")
    assert answer.status_code == 200
    assert find_difference(example("GET /status", "response"), answer.get_json()) is None


def test_the_qr_is_the_seeds_or_null_where_none_is_needed(gateway: FlaskClient) -> None:
    answer = gateway.get("/qr")
    assert answer.status_code == 200
    told, expected = answer.get_json(), example("GET /qr", "response")
    assert told.keys() >= expected.keys()
    assert type(told["ready"]) is bool
    assert told["qr"] is None or type(told["qr"]) is str


def test_a_send_is_accepted_with_the_seeds_words(gateway: FlaskClient) -> None:
    answer = gateway.post("/send", json=example("POST /send", "request"))
    assert (answer.status_code, answer.get_json()) == (202, example("POST /send", "response"))
