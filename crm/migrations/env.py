"""Runs migrations on the app's own engine, on SQLite and on PostgreSQL."""

from alembic import context
from flask import current_app

from crm.extensions import db

MIGRATION_LOCK = 0x43524D4D
"""PostgreSQL's advisory lock: two releases at once run one after the other."""


def run() -> None:
    """Bring the schema up to date in one transaction."""
    configured = current_app.extensions["migrate"].configure_args
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(isolation_level="READ COMMITTED")
        else:
            # Batch migrations drop and rename tables; cascades must not follow them.
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            connection.rollback()
        context.configure(connection=connection, target_metadata=db.metadata, **configured)
        with context.begin_transaction():
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
            context.run_migrations()


run()
