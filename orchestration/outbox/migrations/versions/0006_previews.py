"""What would be sent for the actions that wait for a person, and what the vendor holds of each."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "outbox_previews",
        sa.Column("action_key", sa.String(300), primary_key=True),
        sa.Column("requests", sa.Text, nullable=False),
        sa.Column("held", sa.Text, nullable=False),
        sa.Column("is_held", sa.Boolean, nullable=False),
        sa.Column("made_at", sa.String(27), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("outbox_previews")
