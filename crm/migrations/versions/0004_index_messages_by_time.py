"""Index messages by their time, so that those kept for long enough are found at once."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade():
    op.create_index("ix_messages_timestamp", "messages", ["timestamp"])


def downgrade():
    op.drop_index("ix_messages_timestamp", "messages")
