"""The explanation as data: facts, tables, proofs, exceptions, and what leads on from there. People and programs get the
same tree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from orchestration.lib.columns import Col

ZERO = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class Proof:
    """A sum that was added up here (`parts`) beside the total that a mart states. It holds when they are equal to the
    penny.
    """

    claim: str
    parts: Decimal
    total: Decimal
    currency_code: str | None

    @property
    def difference(self) -> Decimal:
        return self.parts - self.total

    @property
    def holds(self) -> bool:
        return self.difference == 0

    def to_dict(self) -> dict[str, Any]:
        return {
            "claim": self.claim,
            "parts": self.parts,
            "total": self.total,
            "difference": self.difference,
            "currency_code": self.currency_code,
            "holds": self.holds,
        }


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows under a heading. `columns` say how to show them; `rows` may hold more than is shown."""

    name: str
    title: str
    columns: tuple[Col, ...]
    rows: Sequence[Mapping[str, Any]]


@dataclass(slots=True)
class Node:
    """One thing in the chain. `kind` and `id` name it; `facts` are label → value in order of importance."""

    kind: str
    id: str
    title: str
    facts: dict[str, Any] = field(default_factory=dict)
    listings: list[Listing] = field(default_factory=list)
    proofs: list[Proof] = field(default_factory=list)
    exceptions: list[dict[str, Any]] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)
    """Where the vendors' records of it stand: `file, record N`, the newest first."""

    @property
    def all_hold(self) -> bool:
        """Whether every proof here and below holds."""
        return all(proof.holds for proof in self.proofs) and all(child.all_hold for child in self.children)

    def to_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "id": self.id,
            "title": self.title,
            "facts": {name: value for name, value in self.facts.items() if value is not None},
            "listings": {listing.name: [dict(row) for row in listing.rows] for listing in self.listings},
            "proofs": [proof.to_dict() for proof in self.proofs],
            "all_hold": self.all_hold,
            "exceptions": self.exceptions,
            "evidence": self.evidence,
            "children": [child.to_dict() for child in self.children],
        }


def total(rows: Sequence[Mapping[str, Any]], column: str) -> Decimal:
    """Σ of a money column; a missing amount counts as nothing."""
    return sum((row[column] for row in rows if row.get(column) is not None), ZERO)
