"""The catalogue as a page of the documentation: `python -m tests.traps > docs/traps.md`."""

from __future__ import annotations

from pathlib import Path

from tests.traps.catalogue import Trap, of

DOCUMENT = Path(__file__).parents[2] / "docs" / "traps.md"

INTRODUCTION = """\
# Traps of the ERPs

What is most often got wrong about Sage 200 and NetSuite, and what nobody has documented, each with the tests that prove
that Tieout takes it. A question is open as long as nobody has looked at a real company: until then every plausible
answer is played by the sandbox, and the connector takes each. This page is written by `python -m tests.traps`.
"""
SECTIONS = {"Sage 200": "sage200", "NetSuite": "netsuite"}


def page() -> str:
    parts = [INTRODUCTION]
    for title, vendor in SECTIONS.items():
        parts.append(f"\n## {title}\n\n| trap | what is true | tests |\n|---|---|---|\n")
        parts += [f"{_row(trap)}\n" for trap in of(vendor, is_open=False)]
        parts.append(f"\n### {title}: open questions\n\n| question | what is open | tests |\n|---|---|---|\n")
        parts += [f"{_row(trap)}\n" for trap in of(vendor, is_open=True)]
    return "".join(parts)


def _row(trap: Trap) -> str:
    tests = ", ".join(f"`{test.rpartition('::')[2].removeprefix('test_')}`" for test in trap.tests)
    return f"| {trap.number} | {trap.fact} | {tests} |"
