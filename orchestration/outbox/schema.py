"""Tables of the outbox database.

Time stamps are ISO 8601 text in UTC with microseconds (`2026-07-03T08:00:00.000000Z`) and amounts are decimal text:
both are part of the audit hash, so they must read back to the character on every database.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()

HEAD_REVISION = "0006"
"""Newest alembic revision; a test keeps it equal to the migrations folder."""

actions = Table(
    "outbox_actions",
    metadata,
    Column("action_key", String(300), primary_key=True),  # kind|marketplace|natural id|version
    Column("kind", String(40), nullable=False),
    Column("vendor", String(40), nullable=False),
    Column("account", String(80), nullable=False),
    Column("marketplace_code", String(80), nullable=False),
    Column("entity_code", String(80)),
    Column("natural_id", String(200), nullable=False),
    Column("version", Integer, nullable=False),
    Column("wire_key", String(40)),  # the digest that fits into the vendor's reference field
    Column("amount", String(40)),  # decimal text in currency_code; null for actions without money
    Column("currency_code", String(3)),
    Column("payload", Text, nullable=False),  # JSON text exactly as proposed
    Column("payload_hash", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("source_hash", String(200)),
    Column("state", String(12), nullable=False),
    Column("proposed_by", String(120), nullable=False),
    Column("proposed_at", String(27), nullable=False),
    Column("decided_by", String(120)),
    Column("decided_at", String(27)),
    Column("sent_at", String(27)),
    Column("verified_at", String(27)),
    Column("attempts", Integer, nullable=False),  # vendor calls begun
    Column("vendor_ids", Text),  # JSON list of text
    Column("detail", Text),  # last thing the vendor or the outbox said about it
    Column("is_retryable", Boolean, nullable=False),  # of a FAILED action: may the same content be proposed again
    Column("superseded_by", String(300)),
    Index("ix_outbox_actions_subject", "kind", "marketplace_code", "natural_id"),
    Index("ix_outbox_actions_state", "state"),
    Index("ix_outbox_actions_wire_key", "wire_key"),
)

audit = Table(
    "outbox_audit",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=False),  # 1, 2, 3 ... without a gap
    Column("action_key", String(300), nullable=False),
    Column("from_state", String(12)),  # null: the action was born
    Column("to_state", String(12), nullable=False),
    Column("actor", String(120), nullable=False),
    Column("channel", String(120), nullable=False),  # how the actor reached us: lane, cli (operating system user), app
    Column("at", String(27), nullable=False),
    Column("why", Text, nullable=False),
    Column("before", Text, nullable=False),  # JSON of the columns that changed
    Column("after", Text, nullable=False),
    Column("source_hash", String(200)),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Index("ix_outbox_audit_action_key", "action_key"),
)

decisions = Table(
    "outbox_decisions",
    metadata,
    Column("decision_key", String(400), primary_key=True),  # DECISION|kind|marketplace|subject|number
    Column("sequence", Integer, nullable=False, unique=True),  # order of being taken
    Column("kind", String(20), nullable=False),  # MATCH, UNMATCH, ACCEPT, WRITE_OFF
    Column("marketplace_code", String(80), nullable=False),
    Column("entity_code", String(80)),
    Column("subject_type", String(40), nullable=False),  # PAYOUT for a match, else what the exception is about
    Column("subject_id", String(300), nullable=False),
    Column("receipt_id", String(200)),  # of a match
    Column("residual", String(20)),  # what a match calls its difference: FEE, EXCHANGE, OPEN; null: there is none
    Column("exception_id", String(40)),  # of ACCEPT and WRITE_OFF
    Column("exception_code", String(20)),
    Column("amount", String(40)),  # decimal text: the amount at risk that was accepted or is written off
    Column("currency_code", String(3)),
    Column("reason", Text, nullable=False),
    Column("state", String(12), nullable=False),  # PROPOSED, EFFECTIVE, REJECTED, WITHDRAWN
    Column("proposed_by", String(120), nullable=False),
    Column("proposed_at", String(27), nullable=False),
    Column("decided_by", String(120)),
    Column("decided_at", String(27)),
    Index("ix_outbox_decisions_subject", "kind", "marketplace_code", "subject_id"),
)

close_events = Table(
    "outbox_close_events",
    metadata,
    Column("close_key", String(200), primary_key=True),  # CLOSE|entity|period|number
    Column("sequence", Integer, nullable=False, unique=True),  # order of being taken
    Column("entity_code", String(80), nullable=False),
    Column("period", String(7), nullable=False),  # YYYY-MM
    Column("kind", String(20), nullable=False),  # SIGNED, LOCKED, REOPENED
    Column("role", String(20)),  # of a signature: PREPARER, REVIEWER
    Column("state", String(12), nullable=False),  # STANDING, WITHDRAWN
    Column("evidence_hash", String(64)),  # of the figures that were signed or locked
    Column("figures", Text),  # of a lock: JSON list of them, amounts as decimal text
    Column("left_open", Text),  # of a lock: JSON list of the blocking checks that were not done
    Column("reason", Text, nullable=False),
    Column("taken_by", String(120), nullable=False),
    Column("taken_at", String(27), nullable=False),
    Column("ended_by", String(120)),
    Column("ended_at", String(27)),
    Index("ix_outbox_close_events_period", "entity_code", "period"),
)

notes = Table(
    "outbox_notes",
    metadata,
    Column("note_key", String(40), primary_key=True),  # NOTE|number
    Column("sequence", Integer, nullable=False, unique=True),  # order of being written
    Column("kind", String(20), nullable=False),  # COMMENT, ASSIGN, REVEAL
    Column("about_type", String(20), nullable=False),  # EXCEPTION, ACTION, ORDER
    Column("about_id", String(300), nullable=False),
    Column("marketplace_code", String(80)),
    Column("assignee", String(120)),  # of ASSIGN; null: back to the team
    Column("text", Text, nullable=False),
    Column("written_by", String(120), nullable=False),
    Column("written_at", String(27), nullable=False),
    Index("ix_outbox_notes_about", "about_type", "about_id"),
)

config_changes = Table(
    "outbox_config_changes",
    metadata,
    Column("change_key", String(200), primary_key=True),  # CONFIG|file|number
    Column("sequence", Integer, nullable=False, unique=True),  # order of being proposed
    Column("kind", String(20), nullable=False),  # ADD, EDIT, REMOVE
    Column("file", String(80), nullable=False),
    Column("row_before", Text),  # JSON of the cells; null: the row is new
    Column("row_after", Text),  # null: the row goes
    Column("file_hash", String(64), nullable=False),  # of the file that the proposer saw
    Column("base_hash", String(64)),  # of the file into which it was written; null: not written
    Column("written_hash", String(64)),  # of the file with the change
    Column("reason", Text, nullable=False),
    Column("state", String(12), nullable=False),  # PROPOSED, EFFECTIVE, REJECTED, WITHDRAWN
    Column("proposed_by", String(120), nullable=False),
    Column("proposed_at", String(27), nullable=False),
    Column("decided_by", String(120)),
    Column("decided_at", String(27)),
    Index("ix_outbox_config_changes_state", "state"),
)

previews = Table(
    "outbox_previews",
    metadata,
    Column("action_key", String(300), primary_key=True),
    Column("requests", Text, nullable=False),  # JSON: method, url, headers without secrets, body
    Column("held", Text, nullable=False),  # what the vendor held then, in words
    Column("is_held", Boolean, nullable=False),  # whether that is what was wanted
    Column("made_at", String(27), nullable=False),
)

lane_runs = Table(
    "lane_runs",
    metadata,
    Column("run_id", String(80), primary_key=True),
    Column("lane", String(40), nullable=False),
    Column("started_at", String(27), nullable=False),
    Column("ended_at", String(27)),
    Column("status", String(12), nullable=False),  # RUNNING, SUCCEEDED, PARTIAL, FAILED
    Column("seconds", String(20)),  # measured duration, decimal text
    Column("summary", Text, nullable=False),  # JSON object: counts, failed accounts, error
    Column("sequence", Integer, nullable=False, unique=True),  # order of start; a pinned clock gives equal times
)
