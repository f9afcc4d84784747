"""What can go wrong in the outbox, each with a message that says what to do."""

from __future__ import annotations


class OutboxError(Exception):
    """Base of every error the outbox raises on purpose."""


class IllegalTransition(OutboxError):
    """An action was asked to go where the transition table does not lead."""

    def __init__(self, action_key: str, before: str, after: str) -> None:
        super().__init__(f"action {action_key} is {before} and cannot become {after}")
        self.action_key = action_key
        self.before = before
        self.after = after


class ConcurrentChange(OutboxError):
    """Another process changed the action between reading and writing it; nothing was written."""


class UnknownAction(OutboxError):
    """No action has this key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"no action has the key {key!r}; `tieout actions` lists them")
        self.key = key


class ApprovalRefused(OutboxError):
    """The person may not decide this, or the decision makes no sense now."""


class MalformedProposals(OutboxError):
    """The table of proposals lacks a column that the outbox needs."""


class SchemaMismatch(OutboxError):
    """The outbox database was written by another version of Tieout."""


class UnsupportedDatabase(OutboxError):
    """The URL names a database on which the delivery lock cannot be guaranteed."""


class DeliveryBusy(OutboxError):
    """Another process is delivering to this account and did not finish in time."""
