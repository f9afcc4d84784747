"""The worked examples as files: all can be read and built, their journals balance, and every figure counts.

`make examples` plays them through both ERPs; here nothing runs.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from sandbox.examples.format import OPERATED, Example, ExampleError, mutations, read
from sandbox.examples.judge import Figures, actual_figures, differences, expected_figures
from sandbox.examples.play import Outcome
from sandbox.examples.world import build_examples

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SALE = """
title = "A sale"
section = "3.1"
[[order]]
[[order.line]]
price = "120.00"
commission = "14.40"
commission_vat = "2.88"
"""


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return read([EXAMPLES])


@pytest.fixture(scope="module")
def expected(examples: list[Example]) -> Figures:
    return expected_figures(examples, build_examples(examples).truth["examples"])


def written(folder: Path, text: str, name: str = "case") -> Path:
    file = folder / f"{name}.toml"
    file.write_text(text, "utf-8")
    return file


def test_there_are_examples_of_every_part_of_a_sellers_books(examples: list[Example]) -> None:
    assert len(examples) >= 40
    sections = " ".join(example.section for example in examples)
    for wanted in (
        "3.1",
        "3.2",
        "3.3",
        "3.4",
        "3.5",
        "3.6",
        "3.8",
        "3.9",
        "3.10",
        "3.11",
        "3.12",
        "3.14",
        "6.2",
        "6.3",
        "15.12",
        "REVERSE_CHARGE",
        "VAT_RELEASE",
        "WRITE_OFF",
        "4.1",
        "4.2",
        "4.3",
        "4.5",
        "4.6",
        "4.7",
    ):
        assert wanted in sections, wanted


def test_every_expected_journal_balances(examples: list[Example]) -> None:
    for example in examples:
        for journal in example.expect.journals:
            assert sum(journal.lines.values()) == 0, (example.name, journal.kind, journal.number)


def test_both_sellers_live_through_every_example(examples: list[Example], expected: Figures) -> None:
    # What an ERP cannot take is an example at the other one, and one of its own at this.
    single = {e.name: e.marketplaces for e in examples if len(e.marketplaces) == 1 and OPERATED not in e.marketplaces}
    assert single == {"reverse-charge": ("HOMELY",), "reverse-charge-by-hand": ("BRICO",)}
    for example in examples:
        for marketplace in example.marketplaces:
            assert f"{marketplace} {example.name} exceptions" in expected


def test_a_penny_more_in_any_figure_is_noticed(expected: Figures) -> None:
    assert differences(expected, expected) == []
    for name, value in expected.items():
        changed = value + 1 if isinstance(value, int) else f"{value}!"
        assert len(differences(expected | {name: changed}, expected)) == 1, name


def test_what_no_example_expects_is_told() -> None:
    found: Figures = {"BRICO case SETTLEMENT 1 BANK": 100, "BRICO nobody's ORD-001 X": "order X is not in the ERP"}
    assert differences({}, found) == [
        "BRICO case SETTLEMENT 1 BANK: found 1.00, which no example expects",
        "BRICO nobody's ORD-001 X: found order X is not in the ERP, which no example expects",
    ]


class Marts:
    """Marts with one journal, one order, one item and two exceptions, one of them of no example."""

    def rows(self, query: str) -> list[dict[str, object]]:
        shared: dict[str, object] = {"marketplace_code": "BRICO"}
        if "marts.journals" in query:
            document = {"kind": "SETTLEMENT", "status": "POSTED", "document_id": "C1", "period": "2026-05"}
            return [shared | document | {"account_role": "MARKETPLACE_CLEARING", "amount": Decimal("10.50")}]
        if "marts.exceptions" in query:
            text = {"exception_code": "SET-003", "summary": "too much"}
            return [shared | text | {"subject_id": "L1"}, shared | text | {"subject_id": "other"}]
        return []


def test_results_are_found_by_the_ids_of_the_example() -> None:
    lists: dict[str, list[str]] = {
        kind: [] for kind in ("refunds", "receipts", "items", "transaction_lines", "documents")
    }
    place = {"example": "case", "marketplace_code": "BRICO", "orders": {"A": "O1"}, "order_lines": ["L1"]}
    found = actual_figures([place | {"cycles": ["C1"]} | lists], Marts())
    assert found["BRICO case SETTLEMENT 1 MARKETPLACE_CLEARING"] == 1050
    assert found["BRICO case exceptions"] == "SET-003"
    assert found["BRICO nobody's SET-003 other"] == "too much"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SALE + 'prise = "1.00"', "unknown key prise"),
        (SALE.replace('"120.00"', '"120"'), "needs two decimal places"),
        (SALE.replace('"120.00"', '"a lot"'), "is no amount"),
        (SALE.replace("[[order]]", "[[order]]\ncycle = 2", 1), "cycle 2, but there are 1"),
        (SALE.replace("[[order]]", "[[order]]\ncreated = 2026-05-01T10:00:00", 1), "with an offset"),
        ("title = 1", "title must be a text"),
        ('marketplaces = ["PLAZA", "BRICO"]' + SALE, "marketplaces are BRICO and HOMELY"),
        ('marketplaces = ["PLAZA"]' + SALE, "its first cycle needs a day"),
        ("title = ", "case.toml"),
    ],
)
def test_a_mistake_in_a_file_is_told(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ExampleError, match=message):
        build_examples(read([written(tmp_path, text)]))


def test_a_balance_that_is_left_over_is_told(tmp_path: Path) -> None:
    refund = '\n[[order.line.refund]]\ngoods = "120.00"\n'
    with pytest.raises(ExampleError, match=r"leaves -17\.28 in the balance"):
        build_examples(read([written(tmp_path, SALE + refund)]))


def test_two_examples_cannot_have_the_same_cycle(tmp_path: Path) -> None:
    fixed = SALE.replace("[[order]]", "[[cycle]]\nday = 2026-05-12\n[[order]]", 1)
    files = [written(tmp_path, fixed, name) for name in ("one", "two")]
    with pytest.raises(ExampleError, match="two and one both need the cycle of 2026-05-12"):
        build_examples(read(files))


def test_every_amount_of_every_file_is_mutated_and_noticed_at_both_marketplaces(
    examples: list[Example], expected: Figures
) -> None:
    placed = build_examples(examples).truth["examples"]
    changed = [(name, expected_figures([example], placed)) for name, example in mutations([EXAMPLES])]
    outcome = Outcome(examples, changed, expected, expected, 0.0)
    played = {example.name: len(example.marketplaces) for example in examples}
    assert sum(played[name.split()[0]] for name, _ in changed) == sum(
        isinstance(value, int) for value in expected.values()
    )
    assert outcome.unnoticed_mutations() == []
    name, figures = changed[0]
    blind = Outcome(examples, [(name, expected | {})], expected, expected, 0.0)
    assert blind.unnoticed_mutations() == [name]
    assert len(differences(figures, {each: expected[each] for each in figures})) == 2
