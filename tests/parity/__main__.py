"""Plays one scenario into Sage 200 and into NetSuite and compares what comes out. Ends with 1 when anything differs."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.parity.compare import Compared, compare
from tests.parity.playing import played, tables_of
from tests.parity.rules import EVERYWHERE, RULES, TABLES


def report(compared: Sequence[Compared]) -> str:
    """The tables with their rows and differences, rows of the first differences, and what was left out."""
    width = max(len(each.name) for each in compared)
    lines = [f"{'table':{width}}  {'Sage 200':>9}  {'NetSuite':>9}  differences"]
    for each in compared:
        lines.append(f"{each.name:{width}}  {each.left_rows:>9,}  {each.right_rows:>9,}  {each.differences:>11,}")
    for each in compared:
        if each.is_equal:
            continue
        lines += ["", f"{each.name}: {each.problem or ', '.join(each.columns)}"]
        lines += [f"  Sage 200 only: {row}" for row in each.left_only]
        lines += [f"  NetSuite only: {row}" for row in each.right_only]
    lines += ["", "Left out:"]
    lines += [f"  every table, {what}: {why}" for what, why in EVERYWHERE.items()]
    lines += [f"  {name}: {why}" for name, why in TABLES.items()]
    lines += [f"  {name}, {what}: {why}" for name, rule in RULES.items() for what, why in rule.reasons()]
    differences = sum(each.differences for each in compared)
    marts = sum(each.name.startswith("marts.") for each in compared)
    rows = sum(each.left_rows for each in compared)
    lines += [
        "",
        f"{marts} marts and {len(compared) - marts} ledger tables compared, {rows:,} rows: {differences:,} differences",
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.parity", description=__doc__)
    parser.add_argument("--orders", type=int, default=600)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--dir", type=Path, default=None, help="keep both installations here; default: thrown away")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="parity-") as scratch:
        folder = (chosen.dir or Path(scratch)).absolute()
        sides = []
        for erp in ("sage200", "netsuite"):
            sys.stderr.write(f"Playing {chosen.orders:,} orders into {erp} …\n")
            scenario = {"orders": chosen.orders, "seed": chosen.seed, "marketplaces": ("BRICO",)}
            with played(folder / erp, erp, **scenario) as site:
                sides.append(tables_of(site))
    compared = compare(sides[0], sides[1], EVERYWHERE, RULES, TABLES)
    sys.stdout.write(report(compared) + "\n")
    return 0 if all(each.is_equal for each in compared) else 1


if __name__ == "__main__":
    raise SystemExit(main())
