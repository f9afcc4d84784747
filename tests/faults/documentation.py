"""The fault table as a page of the documentation: `python -m tests.faults > docs/faults.md`."""

from __future__ import annotations

from pathlib import Path

from tests.faults.cases import ENDS, TABLE, Row
from tests.faults.erp_findings import FINDINGS, Finding
from tests.faults.erp_reading import READING
from tests.faults.erp_writing import ENDS as WRITING_ENDS
from tests.faults.erp_writing import WRITING, Writing

DOCUMENT = Path(__file__).parents[2] / "docs" / "faults.md"

INTRODUCTION = """\
# Bad input

What a vendor's bad answer, or a bad connection, does to a run. Every row is a test (`tests/faults`): a lane runs over
real HTTP while the fault lasts and once more when it is over, and then the warehouse is compared with the marketplace
record by record. **Lost: nothing, in every row.** This page is written by `python -m tests.faults`.

| bad input | what happens | reported | the run ends |
|---|---|---|---|
"""


ERPS_READING = """
## Reading Sage 200 and NetSuite

Two feeds of the ERP are read while the fault lasts and once more when it is over, and then the warehouse is compared
with the books. **Lost: nothing, in every row.**

| bad input | what happens | reported | the run ends |
|---|---|---|---|
"""

ERPS_WRITING = """
## Writing to Sage 200 and NetSuite

An action that meets a bad state. **Posted twice: nothing, in every row.**

| bad input | what happens | says | the action |
|---|---|---|---|
"""

ERPS_BOOKS = """
## What the books hold

What is wrong in an ERP's own data is read as it stands, and becomes a finding ([runbooks.md](runbooks.md) says what to
do). The rules are tried by dbt's unit tests.

| bad input | what happens | finding |
|---|---|---|
"""


def page() -> str:
    rows = "".join(f"{_row(row)}\n" for row in TABLE)
    reading = "".join(f"{_row(row)}\n" for row in READING)
    writing = "".join(f"{_writing(row)}\n" for row in WRITING)
    findings = "".join(f"{_finding(row)}\n" for row in FINDINGS)
    return INTRODUCTION + rows + ERPS_READING + reading + ERPS_WRITING + writing + ERPS_BOOKS + findings


def _row(row: Row) -> str:
    reported = [f"`{words}`" for words in row.reported]
    reported += [f"quarantine: `{feed}.{field} {reason}`" for feed, field, reason in row.quarantined]
    return f"| {row.bad_input} | {row.what_happens} | {'; '.join(reported) or 'a log line'} | {ENDS[row.ends]} |"


def _writing(row: Writing) -> str:
    says = f"`…{row.says}…`" if row.says else "nothing"
    return f"| {row.bad_input} | {row.what_happens} | {says} | {WRITING_ENDS[row.ends]} |"


def _finding(row: Finding) -> str:
    return f"| {row.bad_input} | {row.what_happens} | [{row.code}](runbooks.md#{row.code.lower()}) |"
