"""Create the tables, and the rows that exist once."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

COUNTERS = ("messages_sent", "messages_received", "messages_failed", "events_pruned_to")


def upgrade():
    op.create_table(
        "counters",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "customers",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("phone", sa.String(length=15), nullable=False),
        sa.Column("phone_key", sa.String(length=16), nullable=True),
        sa.Column("lid", sa.String(length=20), nullable=True),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("remark", sa.Text(), nullable=True),
        sa.Column("extra_fields", sa.JSON(), nullable=False),
        sa.Column("photo_url", sa.Text(), nullable=True),
        sa.Column("unread_count", sa.Integer(), nullable=False),
        sa.Column("last_message", sa.Text(), nullable=True),
        sa.Column("last_timestamp", sa.DateTime(), nullable=True),
        sa.Column("active_at", sa.DateTime(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("customers", schema=None) as batch_op:
        batch_op.create_index("ix_customers_active_at", ["active_at", "id"], unique=False)
        batch_op.create_index("ix_customers_status", ["status", "active_at", "id"], unique=False)
        batch_op.create_index("uq_customers_lid", ["lid"], unique=True)
        batch_op.create_index("uq_customers_phone_key", ["phone_key"], unique=True)

    op.create_table(
        "erasures",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("address", sa.String(length=32), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column(
            "customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.create_index("ix_events_created_at", ["created_at"], unique=False)
        batch_op.create_index("ix_events_customer", ["customer_id"], unique=False)

    op.create_table(
        "gateway_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("refusals", sa.Integer(), nullable=False),
        sa.Column("open_until", sa.DateTime(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("status", sa.JSON(), nullable=True),
        sa.Column("checked_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "parked_acks",
        sa.Column("whatsapp_id", sa.String(length=255), nullable=False),
        sa.Column("ack", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("whatsapp_id"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("parked_acks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_parked_acks_created_at"), ["created_at"], unique=False)

    op.create_table(
        "worker_heartbeats",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("beat_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("direction", sa.String(length=8), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("timestamp", sa.DateTime(), nullable=False),
        sa.Column("ack", sa.Integer(), nullable=False),
        sa.Column("whatsapp_id", sa.String(length=255), nullable=True),
        sa.Column("request_id", sa.String(length=128), nullable=True),
        sa.Column("dispatch", sa.String(length=10), nullable=True),
        sa.Column("idempotency_key", sa.String(length=255), nullable=True),
        sa.Column("body_hash", sa.String(length=64), nullable=True),
        sa.Column("queued_at", sa.DateTime(), nullable=True),
        sa.Column("due_at", sa.DateTime(), nullable=True),
        sa.Column("hinted_at", sa.DateTime(), nullable=True),
        sa.Column("lease_until", sa.DateTime(), nullable=True),
        sa.Column("claims", sa.Integer(), nullable=False),
        sa.Column("lost_leases", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("gateway_attempt", sa.Integer(), nullable=False),
        sa.Column("maybe_written", sa.Boolean(), nullable=False),
        sa.Column("accepted_at", sa.DateTime(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("error_code", sa.String(length=64), nullable=True),
        sa.Column(
            "seen_delay_ms", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("seen_to", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.create_index("ix_messages_customer", ["customer_id", "id"], unique=False)
        batch_op.create_index("ix_messages_dispatch", ["dispatch", "due_at"], unique=False)
        batch_op.create_index(
            "ix_messages_open",
            ["customer_id", "id"],
            unique=False,
            sqlite_where=sa.text("dispatch IN ('queued', 'sending')"),
            postgresql_where=sa.text("dispatch IN ('queued', 'sending')"),
        )
        batch_op.create_index(
            "ix_messages_unread",
            ["customer_id", "id"],
            unique=False,
            sqlite_where=sa.text("direction = 'inbound' AND ack < 3"),
            postgresql_where=sa.text("direction = 'inbound' AND ack < 3"),
        )
        batch_op.create_index("uq_messages_idempotency_key", ["idempotency_key"], unique=True)
        batch_op.create_index(
            "uq_messages_inbound_whatsapp_id",
            ["customer_id", "whatsapp_id"],
            unique=True,
            sqlite_where=sa.text("direction = 'inbound'"),
            postgresql_where=sa.text("direction = 'inbound'"),
        )
        batch_op.create_index(
            "uq_messages_outbound_whatsapp_id",
            ["whatsapp_id"],
            unique=True,
            sqlite_where=sa.text("direction = 'outbound'"),
            postgresql_where=sa.text("direction = 'outbound'"),
        )

    counters = sa.table("counters", sa.column("name"), sa.column("value"))
    rows = [{"name": name, "value": 0} for name in COUNTERS]
    # Tells this database from one that replaced it, for caches that outlive both.
    rows.append({"name": "database_id", "value": secrets.randbits(40)})
    op.bulk_insert(counters, rows)
    link = sa.table("gateway_link", sa.column("id"), sa.column("refusals"))
    op.bulk_insert(link, [{"id": 1, "refusals": 0}])


def downgrade():
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_messages_outbound_whatsapp_id",
            sqlite_where=sa.text("direction = 'outbound'"),
            postgresql_where=sa.text("direction = 'outbound'"),
        )
        batch_op.drop_index(
            "uq_messages_inbound_whatsapp_id",
            sqlite_where=sa.text("direction = 'inbound'"),
            postgresql_where=sa.text("direction = 'inbound'"),
        )
        batch_op.drop_index("uq_messages_idempotency_key")
        batch_op.drop_index(
            "ix_messages_unread",
            sqlite_where=sa.text("direction = 'inbound' AND ack < 3"),
            postgresql_where=sa.text("direction = 'inbound' AND ack < 3"),
        )
        batch_op.drop_index(
            "ix_messages_open",
            sqlite_where=sa.text("dispatch IN ('queued', 'sending')"),
            postgresql_where=sa.text("dispatch IN ('queued', 'sending')"),
        )
        batch_op.drop_index("ix_messages_dispatch")
        batch_op.drop_index("ix_messages_customer")

    op.drop_table("messages")
    op.drop_table("worker_heartbeats")
    with op.batch_alter_table("parked_acks", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_parked_acks_created_at"))

    op.drop_table("parked_acks")
    op.drop_table("gateway_link")
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.drop_index("ix_events_customer")
        batch_op.drop_index("ix_events_created_at")

    op.drop_table("events")
    op.drop_table("erasures")
    with op.batch_alter_table("customers", schema=None) as batch_op:
        batch_op.drop_index("uq_customers_phone_key")
        batch_op.drop_index("uq_customers_lid")
        batch_op.drop_index("ix_customers_status")
        batch_op.drop_index("ix_customers_active_at")

    op.drop_table("customers")
    op.drop_table("counters")
