"""Writes the figures of a benchmark's JSON into docs/benchmarks.md, between the marks of its section.

python -m benchmarks.page                                   # benchmarks/results/matching.json (make bench-matching)
python -m benchmarks.page benchmarks/results/close.json     # make bench-close
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
MARKS = {
    name: (f"<!-- {name}: written by python -m benchmarks.page -->", f"<!-- end of {name} -->")
    for name in ("matching", "close")
}
BEGIN, END = MARKS["matching"]
SHOWN = 15
"""How many of the slowest models are listed."""


def section(found: dict[str, Any], name: str = "matching") -> str:
    """The figures of the benchmark `name` as Markdown."""
    return "\n".join(_close(found) if name == "close" else _matching(found))


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


def _matching(found: dict[str, Any]) -> Iterator[str]:
    machine, cold = found["machine"], found["cold"]
    yield (
        f"{found['transaction_lines']:,} transaction lines of {found['orders']:,} orders ({found['sellers']} sellers); "
        f"{machine['cores']} cores ({machine['processor']}), Python {machine['python']}; "
        f"commit {found['commit']}, {found['date']}. "
        f"{cold['models']} models and {cold['tests']} tests on data."
    )
    yield ""
    yield "| | seconds | processor seconds | peak memory |"
    yield "|---|---|---|---|"
    for name, label in (
        ("parse", "parsing the project, once per version of it"),
        ("cold", "all models and tests, cold"),
        ("publish", "publishing the marts, as one file and as Parquet"),
        ("change", f"all models and tests after {found.get('changed_lines', 0):,} changed lines"),
    ):
        if run := found.get(name):
            memory = f"{run['peak_bytes'] / 1e9:.2f} GB"
            yield f"| {label} | {run['seconds']:.1f} | {run['processor_seconds']:.1f} | {memory} |"
    yield ""
    sizes = [("raw", found["raw_bytes"]), ("the warehouse with it", found["warehouse_bytes"])]
    sizes += [
        ("the published file", found["publish"]["published_bytes"]),
        ("Parquet", found["publish"]["parquet_bytes"]),
    ]
    millions = found["transaction_lines"] / 1e6
    yield (
        "On disk: "
        + ", ".join(f"{name} {size / 1e6 / millions:,.0f} MB" for name, size in sizes)
        + " per million lines."
    )
    if "change" in found:
        differing = ", ".join(found["marts_that_differ"]) or "none"
        yield (
            f"The day's change took {found['change_to_cold']:.0%} of the cold time by the clock, "
            f"{found['change']['processor_seconds'] / cold['processor_seconds']:.0%} of its processor seconds; "
            f"marts that differ from a build from nothing: {differing}."
        )
    yield ""
    yield "| slowest | seconds |"
    yield "|---|---|"
    for name, seconds in list(cold["slowest"].items())[:SHOWN]:
        yield f"| `{name.rpartition(' ')[2]}` | {seconds:.1f} |"


def written(page: str, text: str, name: str = "matching") -> str:
    """The page with another section. Raises ValueError when it has no marks."""
    first, last = MARKS[name]
    before, begin, rest = page.partition(first)
    _, end, after = rest.partition(last)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} does not hold {first} and {last}")
    return f"{before}{first}\n{text}\n{last}{after}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("results", type=Path, nargs="?", default=ROOT / "benchmarks" / "results" / "matching.json")
    options = parser.parse_args()
    found = json.loads(options.results.read_text(encoding="utf-8"))
    name = options.results.stem
    if name not in MARKS:
        parser.error(f"{options.results} is no result of {' or '.join(MARKS)}")
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), section(found, name), name), encoding="utf-8")


if __name__ == "__main__":
    main()
