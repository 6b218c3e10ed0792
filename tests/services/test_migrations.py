"""A migration that fails leaves the database as it was."""

import shutil
from pathlib import Path

import flask_migrate
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from config.settings import PROJECT_ROOT
from crm.extensions import db
from tests.kit.app import Backend

_HALFWAY = """
revision, down_revision = "halfway", "{head}"

def upgrade() -> None:
    from alembic import op
    op.execute("CREATE TABLE half_done (id INTEGER)")
    raise RuntimeError("no further")
"""


def test_what_a_migration_did_before_it_failed_is_taken_back(
    backend: Backend, tmp_path: Path
) -> None:
    migrations = shutil.copytree(PROJECT_ROOT / "crm" / "migrations", tmp_path / "migrations")
    head = ScriptDirectory(str(migrations)).get_current_head()
    (migrations / "versions" / "halfway.py").write_text(_HALFWAY.format(head=head))
    with backend.app.app_context():
        if db.engine.dialect.name != "postgresql":
            pytest.skip("Alembic begins no transaction on SQLite")
        with pytest.raises(SystemExit):
            flask_migrate.upgrade(directory=str(migrations))
        assert "half_done" not in inspect(db.engine).get_table_names()
