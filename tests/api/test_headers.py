"""What every answer says to browsers, and that nobody outside can add to it."""

import dataclasses

import pytest
from flask.testing import FlaskClient

from config.settings import AppEnv, load_settings
from crm.factory import create_app
from tests.kit.accounts import PASSWORD, sign_in
from tests.kit.app import Backend
from tests.kit.fixtures import Make

PATHS = ["/customers/", "/customers/99", "/nowhere", "/healthz", "/docs", "/redoc", "/auth/setup",
         "/auth/me", "/openapi.json"]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_is_taken_for_what_it_is_and_framed_by_nobody(
    client: FlaskClient, path: str
) -> None:
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
    assert "Strict-Transport-Security" not in headers
    assert "Server" not in headers


def test_answers_run_no_script_and_the_documents_only_our_own(client: FlaskClient) -> None:
    policy = client.get("/customers/").headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    for path in ("/docs", "/redoc"):
        policy = client.get(path).headers["Content-Security-Policy"]
        sources = {word for word in policy.replace(";", " ").split() if ":" in word or "." in word}
        assert sources == {"data:", "blob:"}


def test_in_production_only_tls_will_do(tmp_path: object) -> None:
    settings = dataclasses.replace(
        load_settings(),
        app_env=AppEnv.PRODUCTION,
        auth_required=True,
        database_url=f"sqlite:///{tmp_path}/unused.sqlite3",
    )
    app = create_app(settings)
    assert app.config["SESSION_COOKIE_SECURE"]
    assert app.config["SESSION_COOKIE_NAME"].startswith("__Host-")
    answer = app.test_client().get("/healthz")
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_nothing_keeps_who_is_signed_in(backend: Backend, with_sign_in: None) -> None:
    mia = sign_in(backend)
    login = {"login": "mia", "password": PASSWORD}
    stranger = backend.client()
    answers = [
        mia.client.get("/auth/state"),
        mia.client.get("/auth/me"),
        stranger.get("/auth/state"),
        stranger.get("/auth/me"),
        stranger.get("/auth/setup"),
        stranger.post("/auth/setup", json={"token": "x", "name": "Mia"} | login),
        stranger.post("/auth/login", json=login | {"password": "wrong password"}),
        stranger.post("/auth/login", json=login),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 401, 200, 403, 401, 200]
    for answer in answers:
        assert answer.headers.getlist("Cache-Control") == ["no-store"], answer.request.path


@pytest.mark.parametrize("text", ["a\r\nX-Evil: 1", "a\nSet-Cookie: x=1", "a\r\n\r\n<script>"])
def test_line_breaks_in_what_is_given_add_no_header(
    client: FlaskClient, backend: Backend, make_customer: Make, text: str
) -> None:
    for number in range(2):
        make_customer(name=f"{text}{number}")
    sent = {"customer_id": 1, "content": text, "client_message_id": text}
    answers = [
        client.get("/customers/", query_string={"limit": 1, "search": text}),
        client.get("/customers/", query_string={"limit": 1, "cursor": text}),
        client.get(f"/media/{text}"),
        client.get("/messages/events/stream", query_string={"lastEventId": text}, buffered=False),
        client.post("/customers/", json={"name": text, "phone": "60188888888"}),
        client.post("/messages/send", json=sent),
        client.post("/auth/login", json={"login": text, "password": text}),
    ]
    for answer in answers:
        assert answer.status_code < 500
        assert "X-Evil" not in answer.headers
        assert "Set-Cookie" not in answer.headers
        assert not any("\n" in value or "\r" in value for value in answer.headers.values())
        answer.close()
    assert 'rel="next"' in answers[0].headers["Link"]
    assert answers[4].headers["Location"].startswith("/customers/")
