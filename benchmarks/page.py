"""Writes the figures of `make bench-close` into docs/benchmarks.md, between the marks of their section.

python -m benchmarks.page benchmarks/results/close.json

What the suite measures is written by `suite_page.py`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- close: written by python -m benchmarks.page -->", "<!-- end of close -->"


def section(found: dict[str, Any]) -> str:
    """The figures as Markdown."""
    return "\n".join(_close(found))


def _close(found: dict[str, Any]) -> Iterator[str]:
    machine, seconds = found["machine"], found["close_seconds"]
    yield (
        f"One month of {found['month_lines']:,} settlement lines; {machine['cores']} cores ({machine['processor']}), "
        f"Python {machine['python']}; commit {found['commit']}, {found['date']}."
    )
    yield ""
    yield "| | |"
    yield "|---|---:|"
    yield f"| reading the month: checklist, roll-forwards, open items | {seconds['read']:.1f} s |"
    yield (
        f"| writing the pack: {found['close_rows']:,} rows as Parquet and CSV, workbook, hashes; "
        f"{found['close_pack_bytes'] / 1e6:.1f} MB | {seconds['pack']:.1f} s |"
    )
    yield f"| verifying it: every hash, every total from the files | {seconds['verify']:.1f} s |"
    yield f"| the whole process, starting Python included | {found['seconds']:.1f} s |"
    yield f"| its memory at the most | {found['peak_bytes'] / 1e9:.2f} GB |"


def written(page: str, text: str) -> str:
    """The page with another section. Raises ValueError when it has no marks."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} does not hold {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("results", type=Path, nargs="?", default=ROOT / "benchmarks" / "results" / "close.json")
    options = parser.parse_args()
    found = json.loads(options.results.read_text(encoding="utf-8"))
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), section(found)), encoding="utf-8")


if __name__ == "__main__":
    main()
