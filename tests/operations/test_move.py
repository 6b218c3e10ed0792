"""From SQLite to PostgreSQL: every row, exactly, with the ids that may come next."""

from pathlib import Path

import psycopg
from sqlalchemy import create_engine, text

from config.addresses import normalize_database_url
from tests.kit.postgres import PostgresServer
from tests.operations.command import make, run
from tests.operations.databases import fill, make_environment, read_all


def test_every_row_moves_and_ids_go_on(postgres: PostgresServer, tmp_path: Path) -> None:
    source = make_environment(tmp_path)
    fill(source)
    targets = {
        "DATABASE_URL": postgres.create_database(),
        "GATEWAY_DATABASE_URL": postgres.create_database(),
    }
    options = ["--to", targets["DATABASE_URL"], "--gateway-to", targets["GATEWAY_DATABASE_URL"]]
    before = read_all(source)
    to = {"TO": targets["DATABASE_URL"], "GATEWAY_TO": targets["GATEWAY_DATABASE_URL"]}
    result = make("move-database", source, **to)
    assert result.status == 0, result.output
    assert "all counted" in result.output
    after = read_all(source | targets)
    assert after == before
    for table, variable, known in (
        ("customers", "DATABASE_URL", 3), ("messages", "DATABASE_URL", 4),
        ("events", "DATABASE_URL", 3), ("sends", "GATEWAY_DATABASE_URL", 1),
    ):  # fmt: skip
        with psycopg.connect(targets[variable]) as connection:
            query = f"SELECT nextval(pg_get_serial_sequence('{table}', 'id'))"
            assert connection.execute(query).fetchone() == (known + 1,), table
    with psycopg.connect(targets["DATABASE_URL"]) as connection:
        words = "SELECT count(*) FROM messages WHERE media IS NULL"
        assert connection.execute(words).fetchone() == (3,)

    again = run("move", *options, environment=source)
    assert again.status != 0
    assert "The target is not empty" in again.output
    assert read_all(source | targets) == before


def test_a_row_that_does_not_fit_leaves_the_target_empty(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    source, url = make_environment(tmp_path), postgres.create_database()
    fill(source)
    engine = create_engine(source["DATABASE_URL"])
    with engine.begin() as connection:
        too_long = {"long": "secret" * 60}
        connection.execute(text("UPDATE parked_acks SET whatsapp_id = :long"), too_long)
    engine.dispose()
    result = run("move", "--to", url, environment=source)
    assert result.status != 0
    assert "nothing is kept" in result.output
    assert "secret" not in result.output
    engine = create_engine(normalize_database_url(url))
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM messages")) == 0
    engine.dispose()


def test_a_database_in_use_or_behind_is_not_moved(postgres: PostgresServer, tmp_path: Path) -> None:
    source, url = make_environment(tmp_path), postgres.create_database()
    assert "nothing at DATABASE_URL" in run("move", "--to", url, environment=source).output
    fill(source)
    engine = create_engine(source["DATABASE_URL"])
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        connection.exec_driver_sql("SELECT count(*) FROM messages")
        assert "is in use" in run("move", "--to", url, environment=source).output
    engine.dispose()
    assert "run the migrations" in run("move", "--to", url, environment=source).output
    assert "Say where to" in run("move", environment=source).output
