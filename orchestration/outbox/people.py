"""Who may sign: a person, under a name of their own."""

from __future__ import annotations

from orchestration.outbox.errors import ApprovalRefused

SERVICE_ACTOR = "tieout"
"""Proposer and policy actor of everything the pipeline does by itself. No person may sign with this name."""


def person_named(name: str) -> str:
    """The name, trimmed. Raises ApprovalRefused for none, and for the names of the pipeline itself."""
    person = name.strip()
    if not person or person.casefold() in (SERVICE_ACTOR, "policy"):
        raise ApprovalRefused("a person has to decide, under their own name (--by NAME)")
    return person
