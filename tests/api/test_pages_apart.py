"""The page at a port of its own (:3000), where the API is at another."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from config.settings import load_settings
from pages.app import create_app
from tests.kit.built_page import FILES, build_page, policy_of


class ReadingBrowser(Client):
    """Reads every answer to its end, which closes the file behind it."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        return super().open(*args, buffered=True, **kwargs)


def frontend(tmp_path: Path, **settings: Any) -> Client:
    folder = build_page(tmp_path / "out")
    chosen = dataclasses.replace(load_settings(), pages_dir=folder, **settings)
    return ReadingBrowser(create_app(chosen))


@pytest.mark.parametrize(
    ("host", "api"),
    [
        ("localhost:3000", "http://localhost:8000"),
        ("127.0.0.1:3000", "http://127.0.0.1:8000"),
        ("[::1]:3000", "http://[::1]:8000"),
        ("shop.lan:3000", "http://shop.lan:8000"),
        ("evil; script-src *:3000", "http://localhost:8000"),
        ("a'b", "http://localhost:8000"),
    ],
)
def test_at_a_port_of_its_own_the_page_finds_the_api_by_the_name_it_was_called_by(
    tmp_path: Path, host: str, api: str
) -> None:
    client = frontend(tmp_path)
    script = client.get("/config.js", headers={"Host": host}).text
    assert script == f'window.CRM_API = "{api}";\n'
    policy = policy_of(client, Host=host)
    assert policy["connect-src"] == policy["media-src"] == f"'self' {api}"
    assert api in policy["img-src"].split()
    assert policy["script-src"] == "'self'"


def test_the_page_follows_the_backend_to_another_port_or_machine(tmp_path: Path) -> None:
    for backend, api in (
        ("http://127.0.0.1:8001", "http://localhost:8001"),
        ("https://crm.example.com/", "https://crm.example.com"),
    ):
        client = frontend(tmp_path, backend_url=backend)
        assert client.get("/config.js").text == f'window.CRM_API = "{api}";\n'


def test_the_pages_server_has_nothing_but_the_page(tmp_path: Path) -> None:
    client = frontend(tmp_path)
    assert client.get("/").text == FILES["index.html"]
    assert client.get("/healthz").get_json() == {"status": "alive"}
    missing = client.get("/customers/")
    assert missing.status_code == 404
    assert missing.get_json() == {"detail": "There is nothing at this address."}
    assert missing.headers["X-Content-Type-Options"] == "nosniff"
