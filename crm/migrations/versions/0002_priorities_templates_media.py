"""Give messages a priority, a template and media, and customers the end of their window."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table("messages") as messages:
        messages.add_column(
            sa.Column("priority", sa.SmallInteger(), nullable=False, server_default="0")
        )
        messages.add_column(sa.Column("template", sa.JSON(), nullable=True))
        messages.add_column(sa.Column("media", sa.JSON(), nullable=True))
        messages.drop_index("ix_messages_dispatch")
        messages.create_index("ix_messages_dispatch", ["dispatch", "priority", "due_at"])
    with op.batch_alter_table("customers") as customers:
        customers.add_column(sa.Column("window_closes_at", sa.DateTime(), nullable=True))


def downgrade():
    with op.batch_alter_table("customers") as customers:
        customers.drop_column("window_closes_at")
    with op.batch_alter_table("messages") as messages:
        messages.drop_index("ix_messages_dispatch")
        messages.create_index("ix_messages_dispatch", ["dispatch", "due_at"])
        messages.drop_column("media")
        messages.drop_column("template")
        messages.drop_column("priority")
