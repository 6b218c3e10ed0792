"""A store of an earlier version gets the columns that were added since; no data moves."""

from sqlalchemy import Column, Connection, MetaData, inspect
from sqlalchemy.schema import CreateColumn


def add_missing_columns(connection: Connection, metadata: MetaData) -> None:
    """`create_all` makes missing tables only. What is added to one later must be nullable."""
    inspector = inspect(connection)
    for table in metadata.sorted_tables:
        present = {column["name"] for column in inspector.get_columns(table.name)}
        for column in table.columns:
            if column.name not in present:
                _add_column(connection, table.name, column)


def _add_column(connection: Connection, table: str, column: Column[object]) -> None:
    written = CreateColumn(column).compile(dialect=connection.dialect)
    connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {written}")
