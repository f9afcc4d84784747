"""Schema migrations of the outbox database (alembic), packaged so that an installed Tieout can upgrade itself."""
