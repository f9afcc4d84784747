"""What people write beside exceptions and actions: comments, who works on what, and who looked at a person's data."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "outbox_notes",
        sa.Column("note_key", sa.String(40), primary_key=True),
        sa.Column("sequence", sa.Integer, nullable=False, unique=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("about_type", sa.String(20), nullable=False),
        sa.Column("about_id", sa.String(300), nullable=False),
        sa.Column("marketplace_code", sa.String(80)),
        sa.Column("assignee", sa.String(120)),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("written_by", sa.String(120), nullable=False),
        sa.Column("written_at", sa.String(27), nullable=False),
    )
    op.create_index("ix_outbox_notes_about", "outbox_notes", ["about_type", "about_id"])


def downgrade() -> None:
    op.drop_table("outbox_notes")
