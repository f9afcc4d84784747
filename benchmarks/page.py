"""Writes the figures of a benchmark's JSON into docs/benchmarks.md, between the marks of its section.

python -m benchmarks.page        # benchmarks/results/matching.json, as `make bench-matching` leaves it
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN = "<!-- matching: written by python -m benchmarks.page -->"
END = "<!-- end of matching -->"
SHOWN = 15
"""How many of the slowest models are listed."""


def section(found: dict[str, Any]) -> str:
    """The figures as Markdown."""
    return "\n".join(_lines(found))


def _lines(found: dict[str, Any]) -> Iterator[str]:
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


def written(page: str, text: str) -> str:
    """The page with another section. Raises ValueError when it has no marks."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} does not hold {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("results", type=Path, nargs="?", default=ROOT / "benchmarks" / "results" / "matching.json")
    options = parser.parse_args()
    found = json.loads(options.results.read_text(encoding="utf-8"))
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), section(found)), encoding="utf-8")


if __name__ == "__main__":
    main()
