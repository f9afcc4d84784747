"""Actions, the append-only audit trail and the history of lane runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Written out, not taken from schema.py: a migration must do tomorrow what it did today.


def upgrade() -> None:
    op.create_table(
        "outbox_actions",
        sa.Column("action_key", sa.String(300), primary_key=True),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("vendor", sa.String(40), nullable=False),
        sa.Column("account", sa.String(80), nullable=False),
        sa.Column("marketplace_code", sa.String(80), nullable=False),
        sa.Column("entity_code", sa.String(80)),
        sa.Column("natural_id", sa.String(200), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("wire_key", sa.String(40)),
        sa.Column("amount", sa.String(40)),
        sa.Column("currency_code", sa.String(3)),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("payload_hash", sa.String(64), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("source_hash", sa.String(200)),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("proposed_by", sa.String(120), nullable=False),
        sa.Column("proposed_at", sa.String(27), nullable=False),
        sa.Column("decided_by", sa.String(120)),
        sa.Column("decided_at", sa.String(27)),
        sa.Column("sent_at", sa.String(27)),
        sa.Column("verified_at", sa.String(27)),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("vendor_ids", sa.Text),
        sa.Column("detail", sa.Text),
        sa.Column("is_retryable", sa.Boolean, nullable=False),
        sa.Column("superseded_by", sa.String(300)),
    )
    op.create_index("ix_outbox_actions_subject", "outbox_actions", ["kind", "marketplace_code", "natural_id"])
    op.create_index("ix_outbox_actions_state", "outbox_actions", ["state"])
    op.create_index("ix_outbox_actions_wire_key", "outbox_actions", ["wire_key"])
    op.create_table(
        "outbox_audit",
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("action_key", sa.String(300), nullable=False),
        sa.Column("from_state", sa.String(12)),
        sa.Column("to_state", sa.String(12), nullable=False),
        sa.Column("actor", sa.String(120), nullable=False),
        sa.Column("channel", sa.String(120), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("before", sa.Text, nullable=False),
        sa.Column("after", sa.Text, nullable=False),
        sa.Column("source_hash", sa.String(200)),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False, unique=True),
    )
    op.create_index("ix_outbox_audit_action_key", "outbox_audit", ["action_key"])
    op.create_table(
        "lane_runs",
        sa.Column("run_id", sa.String(80), primary_key=True),
        sa.Column("lane", sa.String(40), nullable=False),
        sa.Column("started_at", sa.String(27), nullable=False),
        sa.Column("ended_at", sa.String(27)),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("seconds", sa.String(20)),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False, unique=True),
    )
    _make_append_only()


def _make_append_only() -> None:
    """Let the database itself refuse to change or drop what is in the trail; the hash chain shows what got past it."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION outbox_audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'outbox_audit is append-only'; END $$"
        )
        op.execute(
            "CREATE TRIGGER outbox_audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON outbox_audit "
            "FOR EACH STATEMENT EXECUTE FUNCTION outbox_audit_is_append_only()"
        )
        return
    for event in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER outbox_audit_no_{event.lower()} BEFORE {event} ON outbox_audit "
            "BEGIN SELECT RAISE(ABORT, 'outbox_audit is append-only'); END"
        )


def downgrade() -> None:
    op.drop_table("lane_runs")
    op.drop_table("outbox_audit")
    op.drop_table("outbox_actions")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION outbox_audit_is_append_only()")
