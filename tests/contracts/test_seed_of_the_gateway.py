"""The gateway's part of the seed, against the gateway's own app."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from config.settings import load_settings
from gateway.app import create_app
from tests.contracts.seed import example, find_difference


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FlaskClient]:
    """A gateway that keeps what it is told and sends nothing: its threads are not started."""
    monkeypatch.setenv("VAR_DIR", str(tmp_path))
    app = create_app(load_settings("gateway"))
    yield app.test_client()
    app.extensions["gateway"].stop()


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
    assert answer.status_code in {202, 503}, "503 while it is not connected"
    if answer.status_code == 202:
        assert answer.get_json() == example("POST /send", "response")
