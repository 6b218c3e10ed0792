"""The page at `/`: what is given out and kept how long, what is not, and what it may load."""

import dataclasses
import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from flask.testing import FlaskClient

from config.settings import AppEnv, load_settings
from crm.factory import create_app
from pages import serving
from tests.kit.app import ReadingClient
from tests.kit.built_page import FILES, build_page, policy_of


def serve(folder: Path, **settings: Any) -> FlaskClient:
    """The backend over a folder of pages; it opens no connection."""
    unused = f"sqlite:///{folder.parent / 'unused.sqlite3'}"
    chosen = {"pages_dir": folder, "database_url": unused} | settings
    app = create_app(dataclasses.replace(load_settings(), **chosen))
    app.test_client_class = ReadingClient
    return app.test_client()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return build_page(tmp_path / "out")


@pytest.fixture
def pages(folder: Path) -> FlaskClient:
    return serve(folder)


@pytest.mark.parametrize(
    ("path", "file", "mimetype"),
    [
        ("/", "index.html", "text/html"),
        ("/login/", "login/index.html", "text/html"),
        ("/app/failed/", "app/failed/index.html", "text/html"),
        ("/theme.js", "theme.js", "text/javascript"),
        ("/manifest.webmanifest", "manifest.webmanifest", "application/manifest+json"),
        ("/icon.svg", "icon.svg", "image/svg+xml"),
        ("/_next/static/a1.js", "_next/static/a1.js", "text/javascript"),
    ],
)
def test_each_file_is_given_out_as_what_it_is(
    pages: FlaskClient, path: str, file: str, mimetype: str
) -> None:
    answer = pages.get(path)
    assert (answer.status_code, answer.text) == (200, FILES[file])
    assert answer.mimetype == mimetype
    assert answer.mimetype_params.get("charset", "utf-8") == "utf-8"
    head = pages.head(path)
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == answer.headers["Content-Length"]


def test_a_page_without_its_last_stroke_leads_to_it_and_keeps_the_question(
    pages: FlaskClient,
) -> None:
    for path, target in (("/login", "login/"), ("/app/failed", "failed/"), ("/index.html", "./")):
        answer = pages.get(f"{path}?next=%2Fapp")
        assert (answer.status_code, answer.headers["Location"]) == (302, f"{target}?next=%2Fapp")


def test_hashed_files_are_kept_for_a_year_and_pages_are_asked_for_anew(pages: FlaskClient) -> None:
    hashed = pages.get("/_next/static/a1.js").headers["Cache-Control"]
    assert hashed == "max-age=31536000, public, immutable"
    for path in ("/", "/login/", "/theme.js", "/manifest.webmanifest", "/login"):
        assert pages.get(path).headers["Cache-Control"] == "max-age=0, public", path


def test_what_the_browser_has_already_is_not_sent_again(pages: FlaskClient) -> None:
    first = pages.get("/")
    for condition in (
        {"If-None-Match": first.headers["ETag"]},
        {"If-Modified-Since": first.headers["Last-Modified"]},
    ):
        again = pages.get("/", headers=condition)
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
        assert "Content-Security-Policy" in again.headers
    assert pages.get("/", headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_part_of_a_file_can_be_asked_for(pages: FlaskClient) -> None:
    text = FILES["theme.js"]
    part = pages.get("/theme.js", headers={"Range": "bytes=2-5"})
    assert (part.status_code, part.text) == (206, text[2:6])
    assert part.headers["Content-Range"] == f"bytes 2-5/{len(text)}"
    beyond = pages.get("/theme.js", headers={"Range": "bytes=9999-"})
    assert (beyond.status_code, beyond.data) == (416, b"")
    assert pages.get("/theme.js", headers={"Range": "lines=1-2"}).text == text


def test_a_browser_that_takes_gzip_gets_the_smaller_file(pages: FlaskClient) -> None:
    answer = pages.get("/_next/static/a1.js", headers={"Accept-Encoding": "gzip, br"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.text == FILES["_next/static/a1.js.gz"]
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert pages.get("/_next/static/a1.js.gz").status_code == 404


TRICKS = [
    "/../unused.sqlite3", "/..%2funused.sqlite3", "/%2e%2e/unused.sqlite3", "//index.html",
    "/login/../theme.js", "/login/%2e%2e/theme.js", "/..%5cunused.sqlite3", "/theme.js%00",
    "/%00", "/theme.js/", "/.built", "/.git/config", "/_next/", "/_next/static", "/login//",
    "/etc/passwd", "//etc/passwd", "/outside.txt", "/linked/secret.txt", "/%ff%fe", "/Theme.js",
]  # fmt: skip


@pytest.fixture(scope="module")
def besieged(tmp_path_factory: pytest.TempPathFactory) -> list[FlaskClient]:
    """In development and in production: a folder with secrets beside it and links to them."""
    place = tmp_path_factory.mktemp("besieged")
    folder, secrets = build_page(place / "out"), place / "secrets"
    secrets.mkdir()
    for secret in (place / "unused.sqlite3", secrets / "secret.txt"):
        secret.write_text("secret")
    (folder / "outside.txt").symlink_to(secrets / "secret.txt")
    (folder / "linked").symlink_to(secrets)
    (folder / "broken").symlink_to(place / "nowhere")
    return [serve(folder), serve(folder, app_env=AppEnv.PRODUCTION, auth_required=True)]


@pytest.mark.parametrize("path", TRICKS)
def test_nothing_but_the_built_files_can_be_had(besieged: list[FlaskClient], path: str) -> None:
    for client in besieged:
        # Past the client, which would tidy the path up; decoded as a server does it.
        answer = client.get(environ_overrides={"PATH_INFO": unquote(path, "latin-1")})
        assert answer.status_code == 404
        assert answer.get_json()["detail"]
        assert "secret" not in answer.text


def test_the_page_takes_no_address_of_the_api(folder: Path) -> None:
    for name in ("customers/index.html", "agents/index.html", "docs", "healthz", "auth/login"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("the page's")
    client = serve(folder)
    for path in ("/docs", "/healthz"):
        assert client.get(path).text != "the page's"
    found = client.application.wsgi_app._present_files()  # type: ignore[attr-defined]
    taken = {"/customers/", "/agents", "/agents/", "/docs", "/healthz", "/auth/login"}
    assert not taken & set(found)


def test_what_is_no_page_is_still_the_apis(pages: FlaskClient) -> None:
    assert pages.get("/healthz").get_json() == {"status": "alive"}
    assert pages.get("/nowhere").get_json() == {"detail": "There is nothing at this address."}
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        refused = pages.open("/", method=method)
        assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD")
        assert refused.get_json()["detail"]


def test_strangers_may_have_the_page_and_nothing_else(folder: Path) -> None:
    closed = serve(folder, auth_required=True)
    assert closed.get("/").status_code == 200
    assert closed.get("/login/").status_code == 200
    assert closed.get("/customers/summary").status_code == 401


def test_a_page_loads_from_here_only_and_runs_no_script_written_into_it(
    pages: FlaskClient,
) -> None:
    policy = policy_of(pages)
    pictures = policy.pop("img-src").split()
    assert pictures == ["'self'", "data:", "blob:", "https://*.whatsapp.net",
                        "http://127.0.0.1:3002"]  # fmt: skip
    assert policy == {
        **dict.fromkeys(("default-src", "frame-ancestors", "base-uri"), "'none'"),
        **dict.fromkeys(("script-src", "style-src", "font-src", "connect-src", "media-src",
                         "manifest-src", "worker-src", "form-action"), "'self'"),
    }  # fmt: skip


def test_the_pretend_customers_pictures_are_found_at_the_gateways_port(folder: Path) -> None:
    client = serve(folder, gateway_url="http://localhost:4002")
    assert policy_of(client)["img-src"].split()[-2:] == [
        "http://localhost:4002", "http://127.0.0.1:4002",
    ]  # fmt: skip


@pytest.mark.parametrize("path", ["/", "/login", "/config.js", "/_next/static/a1.js"])
def test_every_answer_has_the_headers_for_browsers_and_an_id(pages: FlaskClient, path: str) -> None:
    headers = pages.get(path, headers={"X-Request-ID": "mine"}).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "Access-Control-Allow-Origin" not in headers
    assert "Strict-Transport-Security" not in headers
    assert headers["X-Request-ID"] == "mine"


def test_in_production_the_page_wants_tls_and_no_pictures_of_the_simulator(folder: Path) -> None:
    client = serve(folder, app_env=AppEnv.PRODUCTION, auth_required=True)
    assert "max-age=31536000" in client.get("/").headers["Strict-Transport-Security"]
    assert policy_of(client)["img-src"] == "'self' data: blob: https://*.whatsapp.net"


def test_the_page_is_told_that_the_api_is_where_it_came_from(pages: FlaskClient) -> None:
    answer = pages.get("/config.js")
    assert answer.text == 'window.CRM_API = "";\n'
    assert answer.content_type.startswith("text/javascript")
    assert answer.headers["Cache-Control"] == "no-store"


def test_without_a_build_one_sentence_says_what_to_do_and_the_api_works(tmp_path: Path) -> None:
    client = serve(tmp_path / "missing")
    answer = client.get("/")
    assert answer.status_code == 404
    assert answer.get_json() == {"detail": "The page is not built: run make setup"}
    assert client.get("/healthz").status_code == 200
    assert client.get("/login/").status_code == 404


def test_a_build_shows_by_itself_in_development_and_at_the_next_start_in_production(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "LOOK_EVERY", 0.0)
    folder = tmp_path / "out"
    developed = serve(folder)
    deployed = serve(folder, app_env=AppEnv.PRODUCTION, auth_required=True)
    build_page(folder)
    assert developed.get("/").text == FILES["index.html"]
    assert deployed.get("/").status_code == 404
    build_page(folder, index="a new page")
    os.utime(folder / "index.html", (1_800_000_000, 1_800_000_000))
    assert developed.get("/").text == "a new page"


def test_a_build_is_looked_for_once_in_a_while_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "LOOK_EVERY", 3600.0)
    folder = tmp_path / "out"
    client = serve(folder)
    assert client.get("/").status_code == 404
    build_page(folder)
    assert client.get("/").status_code == 404
    monkeypatch.setattr(serving, "LOOK_EVERY", 0.0)
    assert client.get("/").text == FILES["index.html"]


def test_a_file_that_a_build_has_just_taken_away_is_not_found(folder: Path) -> None:
    client = serve(folder)
    (folder / "theme.js").unlink()
    assert client.get("/theme.js").status_code == 404


def test_a_file_that_goes_while_they_are_listed_harms_no_other(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_link = os.path.islink

    def take_away(path: str) -> bool:
        if path == str(folder / "theme.js"):
            os.unlink(path)
        return is_link(path)

    monkeypatch.setattr(os.path, "islink", take_away)
    client = serve(folder)
    assert client.get("/theme.js").status_code == 404
    assert client.get("/login/").status_code == client.get("/healthz").status_code == 200
