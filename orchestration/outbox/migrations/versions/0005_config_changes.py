"""Rows of the configuration that one person proposes and another one approves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "outbox_config_changes",
        sa.Column("change_key", sa.String(200), primary_key=True),
        sa.Column("sequence", sa.Integer, nullable=False, unique=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("file", sa.String(80), nullable=False),
        sa.Column("row_before", sa.Text),
        sa.Column("row_after", sa.Text),
        sa.Column("file_hash", sa.String(64), nullable=False),
        sa.Column("base_hash", sa.String(64)),
        sa.Column("written_hash", sa.String(64)),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("proposed_by", sa.String(120), nullable=False),
        sa.Column("proposed_at", sa.String(27), nullable=False),
        sa.Column("decided_by", sa.String(120)),
        sa.Column("decided_at", sa.String(27)),
    )
    op.create_index("ix_outbox_config_changes_state", "outbox_config_changes", ["state"])


def downgrade() -> None:
    op.drop_table("outbox_config_changes")
