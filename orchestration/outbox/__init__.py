"""The outbox: approval, delivery and proof of every action that leaves the house, with a hash-chained audit trail."""

from __future__ import annotations

from orchestration.outbox.audit import AuditProblem, AuditReport
from orchestration.outbox.changes import Change, ChangeKind, Changes
from orchestration.outbox.closing import Closing, Figure, Role
from orchestration.outbox.decisions import Decisions, Residual, Standing, Subject, WriteOffLimits
from orchestration.outbox.delivering import AccountProblem, DeliverResult, Preview
from orchestration.outbox.errors import (
    ApprovalRefused,
    ConcurrentChange,
    DeliveryBusy,
    IllegalTransition,
    MalformedProposals,
    OutboxError,
    SchemaMismatch,
    UnknownAction,
    UnsupportedDatabase,
)
from orchestration.outbox.notes import About, Notes
from orchestration.outbox.runs import LaneRun, RunHistory, RunStatus
from orchestration.outbox.states import State
from orchestration.outbox.store import PROPOSAL_COLUMNS, SNAPSHOT_SCHEMA, Outbox, PolicyResult, ProposeResult

__all__ = [
    "PROPOSAL_COLUMNS",
    "SNAPSHOT_SCHEMA",
    "About",
    "AccountProblem",
    "ApprovalRefused",
    "AuditProblem",
    "AuditReport",
    "Change",
    "ChangeKind",
    "Changes",
    "Closing",
    "ConcurrentChange",
    "Decisions",
    "DeliverResult",
    "DeliveryBusy",
    "Figure",
    "IllegalTransition",
    "LaneRun",
    "MalformedProposals",
    "Notes",
    "Outbox",
    "OutboxError",
    "PolicyResult",
    "Preview",
    "ProposeResult",
    "Residual",
    "Role",
    "RunHistory",
    "RunStatus",
    "SchemaMismatch",
    "Standing",
    "State",
    "Subject",
    "UnknownAction",
    "UnsupportedDatabase",
    "WriteOffLimits",
]
