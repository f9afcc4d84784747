"""The fault campaign, `make faults`: generated input for every parser, and every component against every fault that it
can meet, as one table.

`python -m tests.faults.campaign --size 200000 [--json FILE]` ends with 1 when a count that must be nil is not, or a row
does not hold.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET  # pytest's own report
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.faults.generated import Tally, families

ROOT = Path(__file__).parents[2]
ROWS: tuple[tuple[str, str, str], ...] = (
    ("fetching", "network: cut off, reset, slow, empty, endless", "tests/faults/test_faults.py"),
    ("fetching", "network: redirects, other hosts, no TLS", "tests/connectors/test_http.py"),
    ("fetching", "vendor: wrong, doubled, endless, moving pages", "tests/orchestration/test_landing.py"),
    ("fetching", "vendor: Sage 200 and NetSuite misbehave", "tests/faults/test_erp_faults.py"),
    ("fetching", "human: key withdrawn or replaced", "tests/orchestration/test_secret_store.py"),
    ("evidence", "process: killed at every step of a page", "tests/orchestration/test_landing.py"),
    ("evidence", "disk: full, read-only", "tests/orchestration/test_machine_faults.py"),
    ("evidence", "human: edited, removed, slipped in", "tests/orchestration/test_integrity.py"),
    ("parsers", "data: hostile values and damaged bytes", "tests/faults/test_generated.py"),
    ("parsers", "memory: nesting, packed bombs", "tests/connectors/test_decoding.py"),
    ("bank files", "data: every format, damaged", "tests/connectors/test_bank.py"),
    ("bank files", "data: MT940, OFX, damaged", "tests/connectors_bank"),
    ("warehouse", "disk: damaged, cut off, edited", "tests/orchestration/test_integrity.py"),
    ("warehouse", "process: killed while loading and building", "tests/orchestration/test_lanes.py"),
    ("marts", "process: killed while publishing", "tests/orchestration/test_publish.py"),
    ("outbox", "process: killed at every document", "tests/outbox/test_crashes.py"),
    ("outbox", "disk: cannot be written; human: edited", "tests/outbox/test_audit.py"),
    ("outbox", "clock: set back", "tests/orchestration/test_machine_faults.py"),
    ("backup", "disk: a changed byte, a missing file", "tests/orchestration/test_backup.py"),
    ("configuration", "human: wrong cells, columns, dates", "tests/orchestration/test_registry.py"),
    ("words", "human: secrets in whatever is said", "tests/orchestration/test_canary.py"),
)
"""(component, fault, the tests that play it)."""


def played(modules: Sequence[str]) -> dict[str, dict[str, int]]:
    """Passed, failed and skipped tests of each module, all points of the disk included."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *modules]
        subprocess.run(command, cwd=ROOT, env={**os.environ, "FAULTS": "all"}, check=False, stdout=sys.stderr)
        cases = ET.parse(report).getroot().iter("testcase")  # noqa: S314
        counts = {module: {"passed": 0, "failed": 0, "skipped": 0} for module in modules}
        for case in cases:
            path = str(case.get("classname")).replace(".", "/")
            module = next((m for m in modules if path.startswith(re.sub(r"\.py$", "", m))), None)
            if module is not None:
                kinds = {child.tag for child in case}
                kind = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
                counts[module][kind] += 1
    return counts


def table(counts: dict[str, dict[str, int]]) -> list[dict[str, Any]]:
    return [
        {
            "component": component,
            "fault": fault,
            "tests": module,
            **counts[module],
            "outcome": "held" if counts[module]["passed"] and not counts[module]["failed"] else "BROKE",
        }
        for component, fault, module in ROWS
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description="The fault campaign.")
    parser.add_argument("--size", type=int, default=200_000, help="generated inputs, over all parsers")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tallies = dict(families(arguments.size, Path(folder)))
    print(f"{'input':<18}{'tried':>9}{'read':>9}{'refused':>9}{'crashed':>9}{'lost':>6}{'twice':>7}{'leaked':>8}")
    for name, tally in tallies.items():
        print(
            f"{name:<18}{tally.tried:>9,}{tally.read:>9,}{tally.refused:>9,}{tally.crashed:>9}{tally.lost:>6}"
            f"{tally.duplicated:>7}{tally.leaked:>8}"
        )
        for words in tally.failures[:10]:
            print(f"    {words}")
    rows = table(played(sorted({module for *_, module in ROWS})))
    print(f"\n{'component':<15}{'fault':<52}{'tests':>6}{'skipped':>9}  outcome")
    for row in rows:
        print(f"{row['component']:<15}{row['fault']:<52}{row['passed']:>6}{row['skipped']:>9}  {row['outcome']}")
    names = ("tried", "crashed", "lost", "duplicated", "leaked")
    totals = {name: sum(getattr(tally, name) for tally in tallies.values()) for name in names}
    print("\n" + ", ".join(f"{name} {value:,}" for name, value in totals.items()))
    if arguments.json is not None:
        inputs = {name: _without_failures(tally) for name, tally in tallies.items()}
        content = {"inputs": inputs, "faults": rows, "totals": totals}
        arguments.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    is_held = all(tally.holds for tally in tallies.values()) and all(row["outcome"] == "held" for row in rows)
    return 0 if is_held else 1


def _without_failures(tally: Tally) -> dict[str, Any]:
    return {name: value for name, value in asdict(tally).items() if name != "failures"}


if __name__ == "__main__":
    sys.exit(main())
