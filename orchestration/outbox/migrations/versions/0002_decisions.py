"""What people decide: matches, unmatches, accepted and written-off exceptions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "outbox_decisions",
        sa.Column("decision_key", sa.String(400), primary_key=True),
        sa.Column("sequence", sa.Integer, nullable=False, unique=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("marketplace_code", sa.String(80), nullable=False),
        sa.Column("entity_code", sa.String(80)),
        sa.Column("subject_type", sa.String(40), nullable=False),
        sa.Column("subject_id", sa.String(300), nullable=False),
        sa.Column("receipt_id", sa.String(200)),
        sa.Column("residual", sa.String(20)),
        sa.Column("exception_id", sa.String(40)),
        sa.Column("exception_code", sa.String(20)),
        sa.Column("amount", sa.String(40)),
        sa.Column("currency_code", sa.String(3)),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("proposed_by", sa.String(120), nullable=False),
        sa.Column("proposed_at", sa.String(27), nullable=False),
        sa.Column("decided_by", sa.String(120)),
        sa.Column("decided_at", sa.String(27)),
    )
    op.create_index("ix_outbox_decisions_subject", "outbox_decisions", ["kind", "marketplace_code", "subject_id"])


def downgrade() -> None:
    op.drop_table("outbox_decisions")
