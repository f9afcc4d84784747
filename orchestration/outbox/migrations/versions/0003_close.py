"""The month-end close: signatures, locks and re-openings of a period of an entity."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "outbox_close_events",
        sa.Column("close_key", sa.String(200), primary_key=True),
        sa.Column("sequence", sa.Integer, nullable=False, unique=True),
        sa.Column("entity_code", sa.String(80), nullable=False),
        sa.Column("period", sa.String(7), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("role", sa.String(20)),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("evidence_hash", sa.String(64)),
        sa.Column("figures", sa.Text),
        sa.Column("left_open", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("taken_by", sa.String(120), nullable=False),
        sa.Column("taken_at", sa.String(27), nullable=False),
        sa.Column("ended_by", sa.String(120)),
        sa.Column("ended_at", sa.String(27)),
    )
    op.create_index("ix_outbox_close_events_period", "outbox_close_events", ["entity_code", "period"])


def downgrade() -> None:
    op.drop_table("outbox_close_events")
