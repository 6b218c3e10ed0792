"""What backup and restore refuse, each with one sentence and nothing changed; and PostgreSQL."""

import json
import os
import sqlite3
import tarfile
from collections.abc import Callable, Mapping
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.kit.postgres import PostgresServer
from tests.operations.command import run
from tests.operations.databases import fill, make_environment, read_all

MANIFEST = "manifest.json"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of a few rows on SQLite."""
    folder = tmp_path_factory.mktemp("source")
    environment = make_environment(folder)
    fill(environment)
    target = folder / "crm.tar.gz"
    result = run("backup", str(target), environment=environment)
    assert result.status == 0, result.output
    return target


def changed(archive: Path, target: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """The same archive with other members."""
    with tarfile.open(archive) as tar:
        members = {each.name: tar.extractfile(each).read() for each in tar}  # type: ignore[union-attr]
    change(members)
    with tarfile.open(target, "w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, BytesIO(content))
    return target


def manifest_with(**values: Any) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        members[MANIFEST] = json.dumps(json.loads(members[MANIFEST]) | values).encode()

    return change


def refused(archive: Path, environment: Mapping[str, str], *options: str) -> str:
    """The one sentence of a refusal."""
    result = run("restore", *options, str(archive), environment=environment)
    assert result.status != 0
    (line,) = result.output.strip().splitlines()
    return line


def test_what_is_restored_is_what_was_there(archive: Path, tmp_path: Path) -> None:
    environment = make_environment(tmp_path)
    result = run("restore", "--resume", str(archive), environment=environment)
    assert result.status == 0, result.output
    source = make_environment(archive.parent)
    before, after = read_all(source), read_all(environment)
    for table in ("customers", "messages", "parked_acks", "erasures"):
        assert after[table] == before[table] != []
    with closing(sqlite3.connect(tmp_path / "crm.sqlite3")) as connection:
        seq = dict(connection.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
    assert seq["messages"] >= 1_000_000


def test_data_is_replaced_only_by_force(archive: Path, tmp_path: Path) -> None:
    environment = make_environment(tmp_path)
    fill(environment)
    before = read_all(environment)
    assert "FORCE=1" in refused(archive, environment)
    assert read_all(environment) == before
    assert run("restore", "--force", str(archive), environment=environment).status == 0
    assert list(tmp_path.glob(".restore-*")) == []


def test_files_are_replaced_only_by_force(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "kept").write_text("x")
    assert "FORCE=1" in refused(archive, make_environment(tmp_path))
    assert (tmp_path / "media" / "kept").exists()


def test_a_database_in_use_is_never_replaced(archive: Path, tmp_path: Path) -> None:
    environment = make_environment(tmp_path)
    fill(environment)
    with closing(sqlite3.connect(tmp_path / "crm.sqlite3")) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("SELECT count(*) FROM messages").fetchone()
        assert "stop every process" in refused(archive, environment, "--force")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (manifest_with(revision="9999"), "newer than this code"),
        (manifest_with(format=99), "newer version"),
        (manifest_with(gateway_columns={"sends": ["id", "colour"]}), "colour"),
        (manifest_with(kinds={"database": "postgresql"}), "move-database"),
        (lambda members: members.update({"database.sqlite3": b"x"}), "damaged"),
        (lambda members: members.update({"extra": b"x"}), "damaged"),
        (lambda members: members.update({"../../escaped": b"x"}), "no backup does"),
        (lambda members: members.pop(MANIFEST), "no whole backup"),
    ],
)
def test_an_archive_that_does_not_fit_is_refused(
    archive: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], None], told: str
) -> None:
    (tmp_path / "var").mkdir()
    bad = changed(archive, tmp_path / "bad.tar.gz", change)
    sentence = refused(bad, make_environment(tmp_path / "var"), "--force")
    assert told in sentence
    assert not (tmp_path / "var" / "crm.sqlite3").exists()
    assert not (tmp_path / "escaped").exists()


def test_half_an_archive_is_refused(archive: Path, tmp_path: Path) -> None:
    half = tmp_path / "half.tar.gz"
    half.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    assert "no whole backup" in refused(half, make_environment(tmp_path))


def test_a_backup_never_replaces_another(archive: Path) -> None:
    content = archive.read_bytes()
    result = run("backup", str(archive), environment=make_environment(archive.parent))
    assert result.status != 0
    assert "exists already" in result.output
    assert archive.read_bytes() == content


def test_postgresql_is_backed_up_and_restored(postgres: PostgresServer, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    source = make_environment(tmp_path / "old", postgres.create_database())
    fill(source)
    target = make_environment(tmp_path / "new", postgres.create_database())
    archive = tmp_path / "crm.tar.gz"
    result = run("backup", str(archive), environment=source)
    assert result.status == 0, result.output
    assert run("restore", "--resume", str(archive), environment=target).status == 0
    before, after = read_all(source), read_all(target)
    assert after["messages"] == before["messages"] != []
    assert "FORCE=1" in refused(archive, target)
    with psycopg.connect(target["DATABASE_URL"]):
        assert "stop every process" in refused(archive, target, "--force")
    result = run("restore", "--force", str(archive), environment=target)
    assert result.status == 0, result.output
    with psycopg.connect(target["DATABASE_URL"]) as connection:
        query = "SELECT nextval(pg_get_serial_sequence('messages', 'id'))"
        (number,) = connection.execute(query).fetchone() or (0,)
    assert number > 1_000_000


def test_without_pg_dump_it_says_what_to_install(postgres: PostgresServer, tmp_path: Path) -> None:
    environment = make_environment(tmp_path, postgres.create_database())
    fill(environment)
    nothing = tmp_path / "empty"
    nothing.mkdir()
    result = run("backup", str(tmp_path / "x"), environment=environment | {"PATH": str(nothing)})
    assert result.status != 0
    assert "pg_dump is not on the PATH" in result.output
    assert os.listdir(nothing) == []
    assert sorted(path.name for path in tmp_path.glob("x*")) == []
