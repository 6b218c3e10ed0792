"""Index customers with and without unread messages apart, and those who never wrote."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INDEXES = (
    ("ix_customers_unread", ["active_at", "id"], "unread_count > 0"),
    ("ix_customers_unread_status", ["status", "active_at", "id"], "unread_count > 0"),
    ("ix_customers_read", ["active_at", "id"], "unread_count <= 0"),
    ("ix_customers_silent", ["active_at"], "last_timestamp IS NULL"),
)


def upgrade():
    for name, columns, where in INDEXES:
        only = sa.text(where)
        op.create_index(name, "customers", columns, sqlite_where=only, postgresql_where=only)


def downgrade():
    for name, _, _ in INDEXES:
        op.drop_index(name, "customers")
