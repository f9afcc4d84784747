"""The proof in words: what the command prints, and the page that is published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from tests.accuracy.judging import Total, share

COLUMNS = ("code", "planted", "found", "missed", "invented", "precision", "recall")


def figures(total: Total) -> list[tuple[str, ...]]:
    """Per code, in the order of COLUMNS."""
    return [
        (
            code,
            f"{counts['planted']:,}",
            f"{counts['found']:,}",
            f"{counts['missed']:,}",
            f"{counts['invented']:,}",
            str(share(counts["found"] - counts["invented"], counts["found"])),
            str(share(counts["planted"] - counts["missed"], counts["planted"])),
        )
        for code, counts in total.codes.items()
    ]


def text(total: Total, failures: Sequence[str]) -> str:
    """For a terminal."""
    rows = [COLUMNS, *figures(total)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(COLUMNS))]
    lines = ["  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows]
    lines += ["", *summary(total)]
    lines += ["", *(f"✗ {failure}" for failure in failures)] if failures else ["", "✓ every target is met"]
    return "\n".join(lines)


def summary(total: Total) -> list[str]:
    codes = total.codes.values()
    planted, found = sum(c["planted"] for c in codes), sum(c["found"] for c in codes)
    missed, invented = sum(c["missed"] for c in codes), total.invented
    lines = [
        f"{len(total.verdicts):,} seeds, {total.orders:,} orders",
        f"{planted:,} exceptions planted or natural, {found:,} found, {missed:,} missed, {invented:,} invented",
        f"precision {share(found - invented, found)}, recall {share(planted - missed, planted)}",
        f"{total.false_alarms_per_10_000_orders} false alarms per 10,000 orders",
        f"money explained: {total.money_explained:,.2f} of {total.money:,.2f} ({_percent(total)} %)",
    ]
    if total.causes:
        right = sum(count for (true, told), count in total.causes.items() if true == told)
        lines.append(f"root causes right: {right:,} of {sum(total.causes.values()):,}")
    return lines


def _percent(total: Total) -> Decimal:
    return share(total.money_explained, total.money) * 100


def confusion(total: Total) -> list[str]:
    """The blame classifier's confusion matrix as a Markdown table: rows are true, columns are told."""
    names = sorted({name for pair in total.causes for name in pair})
    if not names:
        return []
    lines = ["| true \\ told | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]
    for true in names:
        cells = (f"{total.causes[true, told]:,}" if total.causes[true, told] else "" for told in names)
        lines.append(f"| {true} | " + " | ".join(cells) + " |")
    return lines


def page(
    total: Total,
    failures: Sequence[str],
    exempt: Mapping[str, str],
    not_raised: Mapping[str, str],
    command: str,
    conditions: str,
) -> str:
    """docs/accuracy.md. `command` reproduces it, `conditions` says when and where."""
    verdicts = total.verdicts
    moments: dict[str, int] = {}
    for verdict in verdicts:
        for part in verdict.facets:
            moments[part] = moments.get(part, 0) + 1
    rows = ["| " + " | ".join(COLUMNS) + " |", "|---|" + "---:|" * (len(COLUMNS) - 1)]
    rows += ["| " + " | ".join(row) + " |" for row in figures(total)]
    parts = [
        _HEAD,
        "## Result",
        "",
        *(f"- {line}" for line in summary(total)),
        *(f"- **not met**: {failure}" for failure in failures),
        "",
        f"`{command}` ({conditions}).",
        "",
        "## By code",
        "",
        *rows,
        "",
        "## Who is to blame",
        "",
        "The root cause that the generator had in mind (rows) and the one that the mart `exceptions` names (columns).",
        "",
        *(confusion(total) or ["Not measured."]),
        "",
        "## What the seeds were",
        "",
        "| played | seeds |",
        "|---|---:|",
        *(f"| {name} | {count} |" for name, count in sorted(moments.items())),
        "",
        "## Codes that no seed plants",
        "",
        *(f"- **{code}**: {reason}" for code, reason in sorted(exempt.items())),
        "",
        "## Codes that no model raises yet",
        "",
        *(f"- **{code}**: {reason}" for code, reason in sorted(not_raised.items())),
        "",
    ]
    return "\n".join(parts)


_HEAD = """# Accuracy

How many of the faults in a set of books are found, and how many alarms are false. Each seed makes a world of its own:
three months of trade, settlements, documents, bank statements and books in Sage 200 or NetSuite. Every exception code
is planted at random places with its *near-misses* (what looks like the fault and is none), beside what is natural,
such as a negative cycle. Ten worlds in a row are sellers of one installation: each is served over HTTP by a process of
its own, all are read, loaded and reconciled together as a lane does it, late, twice or in a random order, and the mart
`exceptions` is compared, seller by seller, with what the generator wrote down. Their order numbers and payers are the
same, so that nothing of one seller may reach another.

The truth comes from the generator alone, which shares no code with the connectors and the models, and a second, plain
reconciler (`tests/sandbox_world`) has to agree with it. A finding counts only with its code, marketplace and subject;
a consequence that is listed beside its cause is a false alarm. Money is explained when a cycle's opening, movement,
pay-out and closing are the truth's to the penny, or when a receipt is allocated to just the pay-outs that it pays.
What must hold on any books (`tests/property/invariants.py`) is asked of every installation, too.

```
make accuracy SEEDS=200            # FIRST=1 is the first seed; WORKERS=2 at once
```

It ends with 1 when one finding is missed or invented, one near-miss is raised, one penny is unexplained, one control
total does not tie, one invariant is broken, or a code is neither planted nor listed below. Any seed can be played by
itself: `python -m tests.accuracy --first 17 --seeds 1`. With `--results FILE` a run that was stopped goes on.
"""
