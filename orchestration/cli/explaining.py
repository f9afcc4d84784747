"""The tree for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from orchestration.cli.output import SEVERITY_STYLE, cell, money, table
from orchestration.lib.explaining.tree import Node

if TYPE_CHECKING:
    from rich.console import Console

INDENT = 3
SHOWN_PER_CODE = 3
"""Exceptions of one code that are printed under one thing; a contract that is wrong hits every line."""

SHOWN_EVIDENCE = 3


def show(node: Node, out: Console, *, depth: int = 0, seen: set[str] | None = None) -> None:
    """Print a node and its children. An exception shown once is not repeated below."""
    from rich.padding import Padding
    from rich.text import Text

    seen = set() if seen is None else seen
    pad = depth * INDENT

    def put(renderable: Any) -> None:
        out.print(Padding(renderable, (0, 0, 0, pad), expand=False))

    put(Text(node.title, style="bold" if depth == 0 else "bold cyan"))
    facts = {name: value for name, value in node.facts.items() if value is not None}
    width = max((len(name) for name in facts), default=0)
    amounts = [money(value) for value in facts.values() if isinstance(value, Decimal)]
    amount_width = max((len(text) for text in amounts), default=0)
    for name, value in facts.items():
        text = money(value).rjust(amount_width) if isinstance(value, Decimal) else cell(value)
        put(Text.assemble((f"  {name.ljust(width)}  ", "dim"), text))
    for listing in node.listings:
        put(table(listing.rows, listing.columns, title=listing.title))
    for proof in node.proofs:
        sign, style = ("✓", "green") if proof.holds else ("✗", "bold red")
        words = f"{proof.claim}: {money(proof.parts)} = {money(proof.total, proof.currency_code)}"
        if not proof.holds:
            stated = money(proof.total, proof.currency_code)
            words = f"{proof.claim}: {money(proof.parts)} ≠ {stated}, off by {money(proof.difference)}"
        put(Text.assemble((f"  {sign} ", style), words))
    for place in node.evidence[:SHOWN_EVIDENCE]:
        put(Text(f"  ↳ {place}", style="dim"))
    if len(node.evidence) > SHOWN_EVIDENCE:
        put(Text(f"    … and {len(node.evidence) - SHOWN_EVIDENCE:,} more records", style="dim"))
    for code, rows in _by_code(node.exceptions, seen).items():
        style = SEVERITY_STYLE.get(str(rows[0]["severity"]), "")
        for row in rows[:SHOWN_PER_CODE]:
            at_risk = f" ({money(row['amount_at_risk'], row['currency_code'])})" if row["amount_at_risk"] else ""
            subject = f" {row['subject_type']} {row['subject_id']}: {row['summary']}{at_risk}"
            put(Text.assemble("  ! ", (code, style), subject))
        more = len(rows) - SHOWN_PER_CODE
        if more > 0:
            put(Text(f"    … and {more:,} more {code} (all of them: --json, or tieout exceptions --code {code})"))
        put(Text(f"      {rows[0]['owner_team']}: {rows[0]['recommended_action']}", style="dim"))
    for child in node.children:
        out.print()
        show(child, out, depth=depth + 1, seen=seen)


def _by_code(exceptions: Sequence[Mapping[str, Any]], seen: set[str]) -> dict[str, list[Mapping[str, Any]]]:
    """Exceptions not shown yet, by code, in their order (worst first). Marks them as shown."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in exceptions:
        if row["exception_id"] not in seen:
            seen.add(row["exception_id"])
            groups.setdefault(str(row["exception_code"]), []).append(row)
    return groups
