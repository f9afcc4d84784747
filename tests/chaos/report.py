"""The figures of a chaos run, on the page that shows them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.chaos.playing import Tally

BEGIN, END = "<!-- chaos: begin, written by `make chaos` -->", "<!-- chaos: end -->"


def publish(page: Path, outcome: Tally, command: str, seeds: int, seconds: float) -> None:
    """Replaces what stands between the marks. Raises ValueError when the page has none."""
    text = page.read_text("utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"{page} has no place for the figures of a chaos run")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    page.write_text(f"{before}{BEGIN}\n{section(outcome, command, seeds, seconds)}{END}{after}", "utf-8")


def section(outcome: Tally, command: str, seeds: int, seconds: float) -> str:
    """Markdown: the totals, and how often each kind of write was played at each kind of vendor."""
    rows = [
        ("seeds", seeds),
        ("actions", outcome.actions),
        ("faults injected", outcome.faults),
        ("processes killed", outcome.kills),
        ("done by hand meanwhile", outcome.by_hand),
        *((name, getattr(outcome, name)) for name in ("lost", "duplicated", "wrong", "unresolved", "failed")),
    ]
    lines = [f"`{command}`, {seconds:,.0f} seconds:", "", "| | |", "|---|---:|"]
    lines += [f"| {name} | {number:,} |" for name, number in rows]
    lines += ["", "| kind of write | " + " | ".join(_VENDORS) + " |", "|---|" + "---:|" * len(_VENDORS)]
    counts: dict[str, Counter[str]] = {}
    for name, count in outcome.kinds.items():
        kind, account = name.split()
        counts.setdefault(kind, Counter())[_ACCOUNTS.get(account, "Mirakl")] += count
    lines += [
        f"| `{kind}` | " + " | ".join(f"{found[vendor]:,}" if found[vendor] else "" for vendor in _VENDORS) + " |"
        for kind, found in sorted(counts.items())
    ]
    return "\n".join(lines) + "\n"


_ACCOUNTS = {"SAGE_UK": "Sage 200", "NS_HOME": "NetSuite"}
_VENDORS = ("Mirakl", "Sage 200", "NetSuite")
