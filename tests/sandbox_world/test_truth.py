"""The truth file: complete, free of contradictions, and derivable from the records by somebody else."""

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from sandbox.world import World, build_world
from sandbox.world.faults import FAULTS
from tests.sandbox_world.plain_receipts import receipts
from tests.sandbox_world.plain_reconciler import findings

LEVELS = ("ORD", "SET", "PAY", "STK", "TAX", "DSP", "CRN", "CLR-003", "CUS", "OFR")
NATURAL = {"TAX-008", "PAY-005", "PAY-006", "BNK-002", "BNK-005", "BNK-006"}


def of_brico(world: World, part: str = "exceptions") -> list[dict[str, Any]]:
    return [record for record in world.truth[part] if record["marketplace_code"] == "BRICO"]


def of_levels(world: World) -> set[tuple[str, str, str]]:
    return {
        (e["exception_code"], e["subject_type"], e["subject_id"])
        for e in of_brico(world)
        if e["exception_code"].startswith(LEVELS)
    }


def test_a_second_opinion_finds_exactly_the_truth(faulty: World) -> None:
    assert findings(faulty) == of_levels(faulty)


def test_a_second_opinion_finds_only_the_natural_in_a_clean_world(clean: World) -> None:
    assert findings(clean) == of_levels(clean)
    assert {e["exception_code"] for e in of_brico(clean)} == NATURAL
    assert {e["fault"] for e in of_brico(clean)} == {"NATURAL"}


def test_a_second_opinion_agrees_on_a_larger_world(world_of: Callable[..., World]) -> None:
    world = world_of(7, orders=3000)
    assert findings(world) == of_levels(world)
    repeated = Counter(e["exception_code"] for e in of_brico(world))
    assert repeated["SET-002"] == 3


@pytest.mark.parametrize("seller", ["BRICO", "HOMELY"])
def test_every_fault_is_in_the_truth_with_a_near_miss_beside_it(world_of: Callable[..., World], seller: str) -> None:
    truth = world_of(7, marketplaces=("BRICO", seller)).truth
    ours = {fault for fault in FAULTS if fault.only in (None, seller) and fault.model in (None, "ORDER_LED")}
    # Bank statements belong to no marketplace; theirs are planted with the first seller.
    codes = (seller, "*") if seller == "BRICO" else (seller,)
    planted = {
        e["fault"]: e["exception_code"]
        for e in truth["exceptions"]
        if e["marketplace_code"] in codes and e["fault"] != "NATURAL"
    }
    assert planted == {fault.name: fault.code for fault in ours}
    assert len({fault.code for fault in ours}) == len(ours) >= 24
    near = {n["not_code"] for n in truth["near_misses"] if n["marketplace_code"] in codes}
    assert {fault.code for fault in ours} <= near


def test_faults_span_the_levels_of_the_issue(faulty: World) -> None:
    kinds = Counter(fault.code[:3] for fault in FAULTS)
    levels = "ORD SET PAY INV BNK JNL CLR STK DSP CRN OFR TAX DAT CUS FX-"
    assert set(kinds) == set(levels.split())
    assert {fault.code for fault in FAULTS if fault.code.startswith("BNK")} == {
        f"BNK-{number:03}" for number in (1, 3, 4, 7, 8, 9, 10, 11, 12)
    }


def test_no_subject_is_both_right_and_wrong(faulty: World) -> None:
    wrong = [(e["exception_code"], e["subject_id"]) for e in of_brico(faulty)]
    right = [(n["not_code"], n["subject_id"]) for n in of_brico(faulty, "near_misses")]
    assert len(wrong) == len(set(wrong))
    assert len(right) == len(set(right))
    assert not set(wrong) & set(right)
    codes = defaultdict(set)
    for code, subject in wrong:
        codes[subject].add(code)
    # Two things are wrong with one cycle; neither hides the other.
    assert [found for found in codes.values() if len(found) > 1] == [{"PAY-008", "TAX-007"}]


@pytest.mark.parametrize("seller", ["BRICO", "HOMELY"])
@pytest.mark.parametrize("faults", [True, False], ids=["faulty", "clean"])
def test_a_second_opinion_on_the_bank_finds_exactly_the_truth(
    world_of: Callable[..., World], seller: str, faults: bool
) -> None:
    world = world_of(7, faults=faults, marketplaces=("BRICO", seller))
    told = {
        (e["exception_code"], e["subject_type"], e["subject_id"])
        for e in world.truth["exceptions"]
        if e["exception_code"][:3] == "BNK" and e["exception_code"] != "BNK-012" and e["marketplace_code"] == seller
    }
    assert set(receipts(world, seller)) == told


def test_every_planted_order_line_fault_states_its_amount(faulty: World) -> None:
    for exception in of_brico(faulty):
        code = exception["exception_code"]
        if code[:3] in ("STK", "CUS") or (code.startswith("OFR") and code not in ("OFR-003", "OFR-006")):
            assert exception["amount"] is None
        elif exception["exception_code"] not in ("PAY-002", "DSP-004"):
            assert exception["amount"], exception


def test_hidden_lines_are_what_the_balance_lacks(faulty: World) -> None:
    side = faulty.mirakl["BRICO"]
    hidden = side.hidden_transaction_lines
    assert len(hidden) == 2
    assert not {line["id"] for line in hidden} & {line["id"] for line in side.transaction_lines}
    balance = gap = Decimal(0)
    for line in side.transaction_lines:
        if line["currency_iso_code"] != "GBP":
            continue
        gap += line["balance"] - balance - line["amount"]
        balance = line["balance"]
    assert gap == sum(line["amount"] for line in hidden)


def test_journal_faults_are_in_the_ledger(faulty: World) -> None:
    tables = faulty.sage.tables
    subjects = {e["exception_code"]: e["subject_id"] for e in of_brico(faulty)}
    clearing = next(row["id"] for row in tables["nominal_codes"] if row["reference"] == "1260")
    legs = tables["nominal_transaction_enquiry_views"]

    def urns(key: str) -> set[int]:
        references = {x["reference"] for x in legs if x["narrative"] in (key, f"Reversal of {key}")}
        return {x["urn"] for x in legs if x["reference"] in references}

    assert len(urns(subjects["JNL-002"])) == 2
    reversed_legs = [x for x in legs if x["urn"] in urns(subjects["JNL-007"]) and x["nominal_code_id"] == clearing]
    assert len(reversed_legs) == 2
    assert sum(x["debit"] - x["credit"] for x in reversed_legs) == 0
    wrong_period = {x["transaction_date"][:7] for x in legs if x["urn"] in urns(subjects["JNL-005"])}
    assert len(wrong_period) == 1
    assert wrong_period.isdisjoint({subjects["JNL-005"].split("|")[4]})
    manual = [x for x in legs if str(x["urn"]) == subjects["JNL-004"] and x["nominal_code_id"] == clearing]
    assert [x["source"] for x in manual] == ["LedgerNominal"]


def test_the_same_arguments_make_the_same_world(world_of: Callable[..., World]) -> None:
    first = world_of(7)
    second = build_world(seed=7, orders=400)
    assert second.truth == first.truth
    assert second.mirakl["BRICO"] == first.mirakl["BRICO"]
    assert second.sage == first.sage
    assert second.bank_world == first.bank_world


def test_another_day_moves_the_nine_cycles(world_of: Callable[..., World]) -> None:
    world = build_world(seed=7, orders=400, as_of=datetime(2026, 10, 29, 9, 30, tzinfo=UTC))
    days = [s["cycle_date"] for s in world.truth["settlements"]]
    assert (days[0], days[-1], len(days)) == ("2026-08-01", "2026-10-21", 9)
    assert findings(world) == of_levels(world)


def test_another_seed_makes_another_world(world_of: Callable[..., World]) -> None:
    assert world_of(7).mirakl["BRICO"].orders.keys() != world_of(11).mirakl["BRICO"].orders.keys()
    assert world_of(7).truth["settlements"] != world_of(11).truth["settlements"]


@pytest.mark.parametrize("seed", range(20, 28))
def test_the_smallest_world_holds_every_fault_at_any_seed(seed: int) -> None:
    world = build_world(seed=seed, orders=250)
    assert findings(world) == of_levels(world)
    planted = {e["fault"] for e in world.truth["exceptions"] if e["marketplace_code"] in ("BRICO", "*")}
    ours = {f.name for f in FAULTS if f.only in (None, "BRICO") and f.model in (None, "ORDER_LED")}
    assert planted == ours | {"NATURAL"}
