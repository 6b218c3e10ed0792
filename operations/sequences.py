"""The next id of a table: never one that was given before, even to a row that is gone."""

from sqlalchemy import Connection, Table, text


def is_numbered(table: Table) -> bool:
    """Whether the database draws its ids."""
    return "id" in table.c and table.autoincrement_column is table.c.id


def highest_id(connection: Connection, table: str) -> int:
    """The highest id that was ever given in this table."""
    rows = connection.scalar(text(f'SELECT max(id) FROM "{table}"'))
    if connection.dialect.name == "sqlite":
        drawn = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
    else:
        drawn = text("SELECT pg_sequence_last_value(pg_get_serial_sequence(:name, 'id')::regclass)")
    return max(rows or 0, connection.scalar(drawn, {"name": table}) or 0)


def set_highest_id(connection: Connection, table: str, highest: int) -> None:
    """Let the next id be the one after this."""
    values = {"name": table, "highest": highest}
    if connection.dialect.name == "sqlite":
        connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), values)
        connection.execute(text("INSERT INTO sqlite_sequence VALUES (:name, :highest)"), values)
    else:
        sequence = "pg_get_serial_sequence(:name, 'id')::regclass"
        connection.execute(text(f"SELECT setval({sequence}, :highest + 1, false)"), values)
