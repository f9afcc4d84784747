"""Bad input to the books blocks exactly its journal, under its code, and the rest is posted.

Each kind of it is proved by a dbt unit test whose expectation has the blocked row beside a free one, or by a test of
the connector that refuses; this list keeps them from being lost (test_unit_tests.py runs the former).
"""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]

RULES = {
    "a role without account": (
        "what_may_not_be_posted_is_blocked_by_its_first_reason",
        {"journal_key": "nowhere", "is_blocked": True, "blocked_code": "JNL-012"},
        {"journal_key": "ok", "is_blocked": False},
    ),
    "debits and credits that differ": (
        "what_may_not_be_posted_is_blocked_by_its_first_reason",
        {"journal_key": "uneven", "is_blocked": True, "blocked_code": "JNL-006"},
        {"journal_key": "ok", "is_blocked": False},
    ),
    "a closed period": (
        "a_journal_that_a_shut_period_keeps_out_is_told_apart_from_a_missing_one",
        {"journal_key": "due", "match_status": "EXCEPTION", "fault_code": "JNL-010"},
        {"journal_key": "june", "match_status": "TIMING"},
    ),
    "a locked month": (
        "what_belongs_to_a_locked_month_is_dated_in_the_first_open_one",
        {"journal_key": "late", "books_date": date(2026, 6, 1), "prior_period": "2026-04"},
        {"journal_key": "open", "books_date": date(2026, 6, 11), "prior_period": None},
    ),
    "a rate that is missing": (
        "a_bad_rate_blocks_its_journal_and_no_other",
        {"journal_key": "none", "is_blocked": True, "blocked_code": "FX-001"},
        {"journal_key": "good", "is_blocked": False},
    ),
    "a rate that is stale": ("the_first_young_rate_is_taken_and_measured", {"rate_fault": "STALE"}, {"rate_fault": ""}),
    "a rate that is inverted": (
        "the_first_young_rate_is_taken_and_measured",
        {"rate_fault": "INVERSE"},
        {"rate_fault": ""},
    ),
    "a document whose totals disagree with its lines": (
        "a_document_ties_to_the_fees_and_the_pay_out_of_its_cycle",
        {"subject_id": "d-net", "exception_code": "INV-002"},
        {"subject_id": "equal", "exception_code": ""},
    ),
    "a map changed in the middle of a period": (
        "the_nearest_account_in_force_is_taken",
        {"account_role": "ORDER_FEES_EXPENSE", "account_code": None},
        {"account_role": "COMMISSION_EXPENSE", "account_code": "6100"},
    ),
    "an entity with two time zones in its feeds": (
        "the_accounting_day_is_the_one_on_the_wall_of_the_entity",
        # 22:59:59Z is still June in London, half an hour before it is July in Paris.
        {"order_id": "D", "order_date": "2026-07-01"},
        {"order_id": "A", "order_date": "2026-06-30"},
    ),
}
"""By input: the unit test, the row that it expects of the input, and a row that it expects beside it."""
REFUSALS = {
    "an account that Sage 200 refuses": ("connectors_sage200/test_postings.py", "test_a_hidden_account_is_refused"),
    "one bad document among good ones in Sage 200": (
        "connectors_sage200/test_postings.py",
        "test_one_bad_document_does_not_stop_the_others_of_its_batch",
    ),
    "a period closed since the proposal in Sage 200": (
        "connectors_sage200/test_postings.py",
        "test_a_period_closed_since_the_proposal_is_a_clear_refusal_and_posts_nothing",
    ),
    "a closed period in NetSuite": (
        "connectors_netsuite/test_journals.py",
        "test_a_closed_period_is_refused_before_anything_is_sent",
    ),
    "what NetSuite refuses": (
        "connectors_netsuite/test_journals.py",
        "test_refusals_say_whether_a_repetition_can_help",
    ),
    "a refusal does not stop the rest": (
        "outbox/test_delivering.py",
        "test_a_refusal_fails_one_action_and_the_others_go_on",
    ),
}


@cache
def unit_tests() -> dict[str, list[dict[str, Any]]]:
    """The rows that each dbt unit test expects."""
    found = {}
    for path in (ROOT / "dbt_project" / "models").rglob("*unit_tests.yml"):
        for test in yaml.safe_load(path.read_text("utf-8"))["unit_tests"]:
            rows = test["expect"].get("rows", [])
            if isinstance(rows, str):
                head, *lines = [line.split(",") for line in rows.splitlines()]
                rows = [dict(zip(head, line, strict=False)) for line in lines]
            found[test["name"]] = rows
    return found


def has(rows: list[dict[str, Any]], wanted: dict[str, Any]) -> bool:
    """Whether a row has these values; of texts, their beginning."""
    return any(
        all(
            str(row.get(key)).startswith(value) if isinstance(value, str) and value else row.get(key) == value
            for key, value in wanted.items()
        )
        for row in rows
    )


@pytest.mark.parametrize("name", RULES)
def test_bad_input_blocks_its_own_and_nothing_beside_it(name: str) -> None:
    test, blocked, free = RULES[name]
    rows = unit_tests()[test]
    assert has(rows, blocked), "the unit test does not expect the input to be blocked"
    assert has(rows, free), "the unit test has nothing beside it that goes on"


@pytest.mark.parametrize("name", REFUSALS)
def test_bad_input_is_refused(name: str) -> None:
    file, test = REFUSALS[name]
    assert f"def {test}(" in (ROOT / "tests" / file).read_text("utf-8")


def test_the_page_for_accountants_has_every_case_with_its_proof() -> None:
    section = (ROOT / "docs" / "accounting.md").read_text("utf-8").partition("## Bad input\n")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if "| `" in line]
    proofs = {name: rule[0] for name, rule in RULES.items()} | {name: test for name, (_, test) in REFUSALS.items()}
    shown = {case: proof for case, _, _, proof in rows}
    assert list(proofs) != []
    assert shown.keys() == proofs.keys()
    assert [name for name, proof in proofs.items() if f"`{proof}`" not in shown[name]] == []
    known = unit_tests().keys() | {test for _, test in REFUSALS.values()}
    assert set(re.findall(r"`(\w+)`", " ".join(shown.values()))) <= known
    codes = {code for _, named, _, _ in rows for code in named.split(", ")} - {"–"}
    seeded = (ROOT / "dbt_project" / "seeds" / "exception_codes.csv").read_text("utf-8")
    assert [code for code in codes if f"\n{code}," not in seeded] == []
