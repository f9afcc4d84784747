"""What a played scenario is worth: each code's agreement with the truth, the money explained, the causes named."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import Any

from sandbox.accuracy import Finding, measure
from tests.accuracy.playing import Played

SHOWN = 3
"""How many subjects of a kind a report names."""


@dataclass
class Verdict:
    """One seed's result; plain values, so that it can be written down. Amounts are texts with their decimals."""

    scenario: str
    seed: int
    orders: int
    """Orders of all marketplaces, as the vendors count them."""
    facets: list[str] = field(default_factory=list)
    """What the seed was played as, for counting."""
    codes: dict[str, dict[str, int]] = field(default_factory=dict)
    """Per code: planted, found, missed, invented."""
    wrong: list[str] = field(default_factory=list)
    """Every finding that was missed or invented and every near-miss that was raised, in words."""
    money: str = "0"
    money_explained: str = "0"
    causes: dict[str, int] = field(default_factory=dict)
    """`true cause>cause told`: how many exceptions that were planted and found."""
    problems: list[str] = field(default_factory=list)
    """What should never happen: a failed run, a control total that does not tie, an unexplained pay-out."""


def judge(played: Played) -> Verdict:
    scenario, truth = played.scenario, played.truth
    accuracy = measure(truth, played.reported)
    facets = [f"moment: {scenario.moment}", f"arrival: {scenario.arrival}", f"books: {scenario.erp}"]
    facets += [f"marketplace: {name}" for name in scenario.marketplaces]
    facets += [f"settlement-led: {name}" for name in scenario.settlement_led]
    verdict = Verdict(str(scenario), scenario.seed, _orders(played.records), facets)
    codes: dict[str, Counter[str]] = defaultdict(Counter)
    told = {Finding.of(row): row for row in played.reported}
    for score in accuracy.scores:
        codes[score.exception_code].update(
            planted=score.planted, found=score.found, missed=len(score.missed), invented=len(score.invented)
        )
        verdict.wrong += [f"missed {_words(finding)}" for finding in score.missed]
        verdict.wrong += [f"invented {_words(finding)}: {told[finding]['summary']}" for finding in score.invented]
    verdict.wrong += [f"near-miss raised {_words(finding)}" for finding in accuracy.near_misses_raised]
    verdict.codes = {code: dict(counts) for code, counts in sorted(codes.items())}
    causes = Counter(
        f"{row['root_cause']}>{told[finding]['root_cause']}"
        for row in truth["exceptions"]
        if "root_cause" in row and (finding := Finding.of(row)) in told
    )
    verdict.causes = dict(sorted(causes.items()))
    total, explained, unexplained = _money(played)
    verdict.money, verdict.money_explained = str(total), str(explained)
    verdict.problems = [
        *played.problems,
        *unexplained,
        *(
            f"control total {row['control_code']} of {row['account']} {row['feed']} ({row['measure']}) is off by "
            f"{row['difference']}"
            for row in played.unbalanced
        ),
    ]
    return verdict


def _orders(records: Mapping[str, Any]) -> int:
    return sum(int(count) for name, count in records.items() if name.endswith("orders") and name.startswith("mirakl"))


def _words(finding: Finding) -> str:
    return " ".join(finding)


def _money(played: Played) -> tuple[Decimal, Decimal, list[str]]:
    """Money in scope and the part that is explained: pay-outs whose cycle is what the truth says to the penny, and
    receipts that are allocated to the cycles that they pay.
    """
    found = {str(row["billing_cycle_id"]): row for row in played.cycles}
    allocated: dict[str, set[str]] = defaultdict(set)
    for row in played.allocations:
        allocated[str(row["receipt_id"])].add(str(row["billing_cycle_id"]))
    total = explained = Decimal(0)
    problems = []
    for row in (*played.truth["settlements"], *played.truth["seller_balances"]):
        cycle_id = str(row["billing_cycle_id"])
        wanted = (
            Decimal(row["opening"]),
            Decimal(row["net"]) + Decimal(row.get("break", 0)),
            Decimal(row["payout"]),
            Decimal(row["closing"]),
        )
        columns = ("opening_amount", "moved_amount", "payout_amount", "closing_amount")
        actual = tuple(found[cycle_id][name] for name in columns) if cycle_id in found else None
        total += abs(wanted[2])
        if actual == wanted:
            explained += abs(wanted[2])
        else:
            problems.append(f"cycle {cycle_id} is {actual} and should be {wanted}")
    for row in played.truth["receipts"]:
        total += abs(Decimal(row["amount"]))
        if allocated[str(row["receipt_id"])] == set(row["billing_cycle_ids"]):
            explained += abs(Decimal(row["amount"]))
        else:
            problems.append(
                f"receipt {row['receipt_id']} is allocated to {sorted(allocated[str(row['receipt_id'])])} and pays "
                f"{sorted(row['billing_cycle_ids'])}"
            )
    return total, explained, problems


@dataclass(frozen=True)
class Total:
    """All seeds together."""

    verdicts: Sequence[Verdict]

    @property
    def orders(self) -> int:
        return sum(verdict.orders for verdict in self.verdicts)

    @property
    def codes(self) -> dict[str, Counter[str]]:
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for verdict in self.verdicts:
            for code, counts in verdict.codes.items():
                found[code].update(counts)
        return dict(sorted(found.items()))

    @property
    def invented(self) -> int:
        return sum(counts["invented"] for counts in self.codes.values())

    @property
    def false_alarms_per_10_000_orders(self) -> Decimal:
        return _rounded(Decimal(self.invented) * 10_000 / max(self.orders, 1))

    @property
    def money(self) -> Decimal:
        return sum((Decimal(verdict.money) for verdict in self.verdicts), Decimal(0))

    @property
    def money_explained(self) -> Decimal:
        return sum((Decimal(verdict.money_explained) for verdict in self.verdicts), Decimal(0))

    @property
    def causes(self) -> Counter[tuple[str, str]]:
        found: Counter[tuple[str, str]] = Counter()
        for verdict in self.verdicts:
            for pair, count in verdict.causes.items():
                true, told = pair.split(">")
                found[true, told] += count
        return found

    def missed_targets(self, codes: Iterable[str], exempt: Iterable[str]) -> list[str]:
        """Why the proof has failed, in words; empty when it holds. `codes` are all that there are, `exempt` those that
        no generator can plant.
        """
        found = [f"{verdict.scenario}: {text}" for verdict in self.verdicts for text in verdict.problems]
        found += [f"{verdict.scenario}: {text}" for verdict in self.verdicts for text in verdict.wrong]
        planted = {code for code, counts in self.codes.items() if counts["planted"]}
        found += [f"{code} was never planted" for code in sorted(set(codes) - planted - set(exempt))]
        found += [f"{code} was planted and is said to be impossible to plant" for code in sorted(planted & set(exempt))]
        if self.money_explained != self.money:
            found.append(f"{self.money - self.money_explained:,.2f} of {self.money:,.2f} is not explained")
        return found


def share(part: int | Decimal, whole: int | Decimal) -> Decimal:
    """A share from 0 to 1 with four places, rounded down: 9,999 of 10,001 must not read 1; 1 of nothing is 1."""
    return (Decimal(part) / whole if whole else Decimal(1)).quantize(Decimal("0.0001"), ROUND_DOWN)


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"))
