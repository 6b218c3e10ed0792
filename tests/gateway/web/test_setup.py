"""What has to be installed, where the session is kept, and who may ask for a code."""

import dataclasses

import pytest

from config.settings import GatewayDriver, SettingsError
from gateway.app import create_app
from gateway.drivers.events import MediaKind
from gateway.drivers.web.line import Address, File
from gateway.drivers.web.packages import require_packages
from gateway.drivers.web.references import PictureReference, read_reference, write_reference
from gateway.drivers.web.storage import postgres_url, session_database


def test_without_neonize_the_sentence_names_the_file_to_install():
    with pytest.raises(SettingsError, match=r"-r requirements-whatsapp\.txt"):
        require_packages(find=lambda name: None)


def test_without_libmagic_the_sentence_names_the_library():
    def fail(name: str) -> object:
        raise ImportError("failed to find libmagic")

    with pytest.raises(SettingsError, match="apt install libmagic1"):
        require_packages(find=lambda name: name, load=fail)


def test_the_session_lies_in_a_folder_that_is_closed_to_others(settings):
    database = session_database(settings)
    assert database == f"{settings.var_dir}/whatsapp/session.sqlite3"
    assert (settings.var_dir / "whatsapp").stat().st_mode & 0o777 == 0o700


def test_signs_in_the_folders_name_do_not_end_the_path(settings, tmp_path):
    odd = dataclasses.replace(settings, var_dir=tmp_path / "what? 100%")
    assert session_database(odd).endswith("what%3F%20100%25/whatsapp/session.sqlite3")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("postgresql+psycopg://u:p%40@db.example/gw", "postgres://u:p%40@db.example/gw"),
        ("postgresql+psycopg://u@127.0.0.1/gw", "postgres://u@127.0.0.1/gw?sslmode=disable"),
        (
            "postgresql+psycopg://u@localhost/gw?sslmode=require",
            "postgres://u@localhost/gw?sslmode=require",
        ),
    ],
)
def test_the_session_goes_where_the_store_is_on_postgresql(ours, theirs):
    assert postgres_url(ours) == theirs


@pytest.mark.parametrize(
    "reference",
    [
        File(
            kind=MediaKind.VIDEO,
            path="/v/t62",
            key=b"\x00\xff",
            digest=b"",
            encrypted_digest=b"e",
            size=None,
        ),
        PictureReference(whose=Address(user="60123456789", server="s.whatsapp.net"), version=7),
    ],
)
def test_a_reference_reads_as_it_was_written(reference):
    assert read_reference(write_reference(reference)) == reference


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '{"message": "eA=="}',
        '{"kind": "image", "key": "*"}',
        '{"picture": 1}',
        "null",
    ],
)
def test_what_is_no_reference_is_refused(text):
    with pytest.raises(ValueError, match="no media reference"):
        read_reference(text)


def test_asking_for_a_code_needs_our_backend(settings, protos):
    guarded = dataclasses.replace(
        settings, gateway_driver=GatewayDriver.WEB, internal_tokens=("t" * 32,)
    )
    app = create_app(guarded)
    client = app.test_client()
    assert client.post("/qr").status_code == 401
    known = {"Authorization": f"Bearer {'t' * 32}"}
    assert client.post("/qr", headers=known).status_code == 202
    assert client.get("/qr", headers=known).json == {"qr": None, "ready": False}
    app.extensions["gateway"].stop()
