"""A second opinion on what the books hold beside the journals of settlement: levels f and g, in the plainest way."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sandbox.world import World
from tests.sandbox_world.plain_books import TRADING
from tests.sandbox_world.plain_reconciler import Finding

ACCRUED_FEES = "2112"


@dataclass(frozen=True)
class Leg:
    """One posted leg of the trading company; `amount` is debit less credit."""

    urn: str
    reference: str
    account: str
    day: date
    amount: Decimal


def legs(world: World, marketplace: str) -> list[Leg]:
    if marketplace == "BRICO" and world.sage is not None:
        tables = world.sage.tables
        codes = {row["id"]: row["reference"] for row in tables["nominal_codes"]}
        return [
            Leg(
                str(row["urn"]),
                row["reference"],
                codes[row["nominal_code_id"]],
                date.fromisoformat(row["transaction_date"][:10]),
                row["debit"] - row["credit"],
            )
            for row in tables["nominal_transaction_enquiry_views"]
        ]
    company = world.netsuite["NS_UK" if marketplace == "BRICO" else "NS_HOME"].tables
    numbers = {row["id"]: row["acctnumber"] for row in company["account"]}
    ours = {row["transaction"] for row in company["transactionline"] if row["subsidiary"] == TRADING}
    headers = {row["id"]: row for row in company["transaction"]}
    return [
        Leg(
            str(row["transaction"]),
            headers[row["transaction"]]["tranid"],
            numbers[row["account"]],
            headers[row["transaction"]]["trandate"],
            row["amount"],
        )
        for row in company["transactionaccountingline"]
        if row["accountingbook"] == 1 and row["posting"] == "T" and row["transaction"] in ours
    ]


def accruals(world: World, marketplace: str) -> Iterator[Finding]:
    """Every accrual is taken back on the first of the next month."""
    moved: dict[date, Decimal] = defaultdict(Decimal)
    posted = {}
    for leg in legs(world, marketplace):
        if leg.account == ACCRUED_FEES:
            moved[leg.day] += leg.amount
            posted[leg.day] = leg.urn
    for day, amount in list(moved.items()):
        if amount < 0 and moved[day + timedelta(days=1)] != -amount:
            yield "JNL-011", "ERP_POSTING", posted[day]
