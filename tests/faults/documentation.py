"""The fault table as a page of the documentation: `python -m tests.faults > docs/faults.md`."""

from __future__ import annotations

from pathlib import Path

from tests.faults.cases import ENDS, TABLE, Row

DOCUMENT = Path(__file__).parents[2] / "docs" / "faults.md"

INTRODUCTION = """\
# Bad input

What a vendor's bad answer, or a bad connection, does to a run. Every row is a test (`tests/faults`): a lane runs over
real HTTP while the fault lasts and once more when it is over, and then the warehouse is compared with the marketplace
record by record. **Lost: nothing, in every row.** This page is written by `python -m tests.faults`.

| bad input | what happens | reported | the run ends |
|---|---|---|---|
"""


def page() -> str:
    return INTRODUCTION + "".join(f"{_row(row)}\n" for row in TABLE)


def _row(row: Row) -> str:
    reported = [f"`{words}`" for words in row.reported]
    reported += [f"quarantine: `{feed}.{field} {reason}`" for feed, field, reason in row.quarantined]
    return f"| {row.bad_input} | {row.what_happens} | {'; '.join(reported) or 'a log line'} | {ENDS[row.ends]} |"
