"""`make move-database TO=postgresql://… GATEWAY_TO=…`: every row into an empty database.

Stop every process first. What is copied is counted on both sides before the target is committed.
"""

import argparse
import dataclasses
from collections.abc import Sequence

import flask_migrate
from sqlalchemy import JSON, Connection, MetaData, Table, func, insert, select
from sqlalchemy.exc import DBAPIError

from config.addresses import normalize_database_url
from config.settings import Settings, load_settings
from crm.factory import create_app
from gateway.store.database import Store as GatewayDatabase
from operations.sequences import highest_id, is_numbered, set_highest_id
from operations.stores import OperationError, Store, backend_store, gateway_store

BATCH = 2_000


def main(arguments: Sequence[str] | None = None) -> None:
    """Move one database or both; the old ones stay as they are."""
    parser = argparse.ArgumentParser(prog="make move-database", description=__doc__)
    parser.add_argument("--to", help="the new DATABASE_URL")
    parser.add_argument("--gateway-to", help="the new GATEWAY_DATABASE_URL")
    options = parser.parse_args(arguments)
    if not (options.to or options.gateway_to):
        raise OperationError("Say where to: make move-database TO=postgresql://… GATEWAY_TO=…")
    settings = load_settings()
    moves = []
    if options.to:
        moves.append((backend_store(settings), options.to))
    if options.gateway_to:
        moves.append((gateway_store(settings), options.gateway_to))
    for source, url in moves:
        counts = move(settings, source, normalize_database_url(url))
        print(f"{source.name}: {sum(counts.values())} rows in {len(counts)} tables, all counted.")
        print(f"Now set {source.variable} to the new address, and start.")


def move(settings: Settings, source: Store, url: str) -> dict[str, int]:
    """Copy every table; returns the rows of each. Raises `OperationError` and leaves no row."""
    target = Store(source.name, source.variable, url, source.metadata)
    if not source.exists():
        raise OperationError(f"There is nothing at {source.variable} to be moved.")
    if source.is_used():
        raise OperationError(f"{source.variable} is in use; stop every process first.")
    if target.exists() and (full := target.first_full_table()):
        raise OperationError(f"The target is not empty: {full} has rows. Give it an empty one.")
    _make_tables(settings, target)
    if source.revision() != target.revision():
        raise OperationError(
            f"{source.variable} has schema {source.revision()} and this code makes "
            f"{target.revision()}; run the migrations (the Procfile's `release`) first."
        )
    try:
        with source.engine.connect() as old, target.engine.begin() as new:
            return {table.name: _copy(old, new, table) for table in source.metadata.sorted_tables}
    except DBAPIError as error:
        # Not its text, which may quote a row.
        kind = type(error.orig).__name__
        raise OperationError(f"The target refused a row ({kind}); nothing is kept.") from None


def _make_tables(settings: Settings, target: Store) -> None:
    if target.name == "gateway":
        store = GatewayDatabase(target.url)
        store.create_tables()
        store.close()
        return
    app = create_app(dataclasses.replace(settings, database_url=target.url))
    with app.app_context():
        flask_migrate.upgrade()


def _copy(old: Connection, new: Connection, table: Table) -> int:
    table = _exact(table)
    new.execute(table.delete())  # the rows that migrations put in
    rows = old.execution_options(yield_per=BATCH).execute(select(table)).mappings()
    for batch in rows.partitions(BATCH):
        new.execute(insert(table), [dict(row) for row in batch])
    count = select(func.count()).select_from(table)
    there, here = old.scalar(count) or 0, new.scalar(count) or 0
    if there != here:
        raise OperationError(f"{table.name} has {there} rows, {here} came over; none is kept.")
    if is_numbered(table):
        set_highest_id(new, table.name, highest_id(old, table.name))
    return here


def _exact(table: Table) -> Table:
    """The same table, whose empty JSON stays empty: it would become the JSON word null."""
    copied = table.to_metadata(MetaData(), name=table.name)
    for column in copied.columns:
        if isinstance(column.type, JSON):
            column.type = JSON(none_as_null=True)
    return copied


if __name__ == "__main__":
    main()
