"""The tree for people."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from orchestration.cli.explaining.tree import Node
from orchestration.cli.output import SEVERITY_STYLE, moment, money, table

if TYPE_CHECKING:
    from rich.console import Console

INDENT = 3


def show(node: Node, out: Console, *, depth: int = 0, seen: set[str] | None = None) -> None:
    """Print a node and its children. An exception shown once is not repeated below."""
    from rich.padding import Padding
    from rich.text import Text

    seen = set() if seen is None else seen
    pad = depth * INDENT

    def put(renderable: Any) -> None:
        out.print(Padding(renderable, (0, 0, 0, pad)))

    put(Text(node.title, style="bold" if depth == 0 else "bold cyan"))
    facts = {name: value for name, value in node.facts.items() if value is not None}
    width = max((len(name) for name in facts), default=0)
    amounts = [money(value) for value in facts.values() if isinstance(value, Decimal)]
    amount_width = max((len(text) for text in amounts), default=0)
    for name, value in facts.items():
        text = money(value).rjust(amount_width) if isinstance(value, Decimal) else _words(value)
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
    for exception in node.exceptions:
        if exception["exception_id"] in seen:
            continue
        seen.add(exception["exception_id"])
        code = (str(exception["exception_code"]), SEVERITY_STYLE.get(str(exception["severity"]), ""))
        at_risk = (
            f" ({money(exception['amount_at_risk'], exception['currency_code'])})"
            if exception["amount_at_risk"] is not None
            else ""
        )
        put(
            Text.assemble(
                "  ! ", code, f" {exception['subject_type']} {exception['subject_id']}: {exception['summary']}{at_risk}"
            )
        )
        put(Text(f"      {exception['owner_team']}: {exception['recommended_action']}", style="dim"))
    for child in node.children:
        out.print()
        show(child, out, depth=depth + 1, seen=seen)


def _words(value: Any) -> str:
    if isinstance(value, str | int) and not isinstance(value, bool):
        return str(value)
    return moment(value)
