"""What there is to tell: the open exceptions of the published marts, one cause per rule that fails at one marketplace
for one reason. What follows from an exception is counted in it and never told by itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

SEVERITIES = ("S1", "S2", "S3", "S4")


@dataclass(frozen=True, slots=True)
class Item:
    """One open exception. `amount` is what is at risk, not negative; None when it is not about money. Times are naive
    UTC.
    """

    item_id: str
    subject: str
    severity: str
    amount: Decimal | None
    currency: str | None
    due_at: datetime | None
    consequences: int
    summary: str


@dataclass(frozen=True, slots=True)
class Cause:
    """What one person can put right at one place. `items` come gravest and dearest first."""

    key: str
    team: str
    code: str
    marketplace: str
    root_cause: str
    title: str
    to_do: str
    runbook: str
    items: tuple[Item, ...]

    @property
    def cause_id(self) -> str:
        """What people type."""
        return hashlib.sha256(self.key.encode()).hexdigest()[:8]

    @property
    def severity(self) -> str:
        return min(item.severity for item in self.items)

    @property
    def due_at(self) -> datetime | None:
        return min((item.due_at for item in self.items if item.due_at), default=None)

    @property
    def consequences(self) -> int:
        return sum(item.consequences for item in self.items)

    @property
    def amounts(self) -> dict[str, Decimal]:
        """Σ at risk by currency."""
        return sum_amounts(self.items)

    def at_least(self, severity: str) -> Cause | None:
        """The cause with its items of this severity or worse, None when there is none."""
        kept = tuple(item for item in self.items if item.severity <= severity)
        if not kept:
            return None
        return self if len(kept) == len(self.items) else _with(self, kept)


def sum_amounts(items: Iterable[Item]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for item in items:
        if item.amount and item.currency:
            found[item.currency] = found.get(item.currency, Decimal(0)) + item.amount
    return dict(sorted(found.items()))


def open_causes(published: Path) -> list[Cause]:
    """The causes of the open exceptions, gravest first, then by deadline; none when nothing was published."""
    if not published.is_file():
        return []
    with duckdb.connect(str(published), read_only=True) as connection:
        if not _is_there(connection):
            return []
        result = connection.execute(_OPEN)
        names = [str(column[0]) for column in result.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    return causes_of(rows)


def resolved_since(published: Path, since: datetime) -> dict[str, int]:
    """How many exceptions were closed since then (aware), by team."""
    if not published.is_file():
        return {}
    with duckdb.connect(str(published), read_only=True) as connection:
        if not _is_there(connection):
            return {}
        naive = since.astimezone(UTC).replace(tzinfo=None)
        return {str(team): int(count) for team, count in connection.execute(_RESOLVED, [naive]).fetchall()}


def causes_of(rows: Iterable[dict[str, Any]]) -> list[Cause]:
    """Rows of the mart `exceptions` as causes."""
    grouped: dict[str, tuple[dict[str, Any], list[Item]]] = {}
    for row in rows:
        key = key_of(row)
        _, items = grouped.setdefault(key, (row, []))
        items.append(
            Item(
                item_id=str(row["exception_id"]),
                subject=f"{row['subject_type']} {row['subject_id']}",
                severity=str(row["severity"]),
                amount=row["amount_at_risk"],
                currency=row["currency_code"],
                due_at=row["due_at"],
                consequences=int(row["consequence_count"] or 0),
                summary=str(row["summary"] or row["title"]),
            )
        )
    causes = [
        Cause(
            key=key,
            team=str(row["owner_team"]),
            code=str(row["exception_code"]),
            marketplace=str(row["marketplace_code"]),
            root_cause=str(row["root_cause"]),
            title=str(row["title"]),
            to_do=str(row["recommended_action"]),
            runbook=str(row["runbook_url"]),
            items=_ordered(items),
        )
        for key, (row, items) in grouped.items()
    ]
    return sorted(causes, key=lambda cause: (cause.severity, cause.due_at or datetime.max, cause.key))  # noqa: DTZ901  (naive UTC)


def key_of(row: Mapping[str, Any]) -> str:
    """The cause that a row of the mart `exceptions` belongs to."""
    return "|".join(str(row[name]) for name in ("exception_code", "marketplace_code", "root_cause", "owner_team"))


def _is_there(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the file holds the mart as it is now. What an older version published is told of after the next build."""
    found = connection.execute(
        "select column_name from duckdb_columns() where schema_name = 'marts' and table_name = 'exceptions'"
    ).fetchall()
    return {str(row[0]) for row in found} >= set(_NEEDED)


def _ordered(items: Sequence[Item]) -> tuple[Item, ...]:
    return tuple(sorted(items, key=lambda item: (item.severity, -(item.amount or Decimal(0)), item.item_id)))


def _with(cause: Cause, items: tuple[Item, ...]) -> Cause:
    return replace(cause, items=items)


_NEEDED = (
    "exception_id", "exception_code", "marketplace_code", "root_cause", "owner_team", "title", "recommended_action",
    "runbook_url", "subject_type", "subject_id", "severity", "amount_at_risk", "currency_code", "due_at",
    "consequence_count", "summary", "status", "resolved_at",
)  # fmt: skip
_RESOLVED = """
    select owner_team, count(*) from marts.exceptions where status <> 'OPEN' and resolved_at >= $1 group by 1
"""
_OPEN = f"select {', '.join(_NEEDED)} from marts.exceptions where status = 'OPEN'"  # noqa: S608  (names of ours)
