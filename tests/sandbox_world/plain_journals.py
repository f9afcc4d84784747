"""A second opinion on what the books hold beside the journals of settlement: levels f and g, in the plainest way."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sandbox.world import World, first_day_of_trade
from tests.sandbox_world.plain_books import TRADING
from tests.sandbox_world.plain_reconciler import LONDON, Finding, instant

ACCRUED_FEES, CLEARING = "2112", "1260"
FORGIVEN = timedelta(days=45)
"""How long something may stay open on clearing."""


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
            (headers[row["transaction"]].get("externalid") or "").removeprefix("JE-")
            or headers[row["transaction"]]["tranid"],
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


def settings_of(world: World, file: str, **where: str) -> list[dict[str, str]]:
    """What the world changes in a file of the configuration, for rows that are about `where`."""
    rows = [setting["where"] | setting["values"] for setting in world.truth["settings"] if setting["file"] == file]
    return [row for row in rows if where.items() <= row.items()]


def openings(world: World, marketplace: str) -> Iterator[Finding]:
    """The ledger before go-live is what was agreed; what was open then is paid by now, and no month ends in credit."""
    agreed = settings_of(world, "opening_balances", marketplace_code=marketplace)
    first_day = first_day_of_trade(world.as_of)
    before = sum(x.amount for x in legs(world, marketplace) if x.account == CLEARING and x.day < first_day)
    open_amount = sum((Decimal(row["amount"]) for row in agreed), Decimal(0))
    month = f"MARKETPLACE_CLEARING|GBP|{first_day:%Y-%m}"
    if before != open_amount:
        yield "CLR-001", "ACCOUNT_PERIOD", month
    for row in agreed:
        if Decimal(row["amount"]) > 0 and world.as_of.date() - date.fromisoformat(row["as_of_date"]) > FORGIVEN:
            yield "CLR-002", "OPEN_ITEM", row["reference"]
    # The first month settles nothing that it does not also receive.
    if open_amount < 0:
        yield "CLR-004", "ACCOUNT_PERIOD", month


def statement(world: World, marketplace: str) -> Iterator[Finding]:
    """What is stated of the balance is what the lines add up to, those included that were never delivered."""
    side = world.mirakl[marketplace]
    total = Decimal(0)
    for line in (*side.transaction_lines, *side.hidden_transaction_lines):
        if line["payment_state"] != "NOT_APPLICABLE" and line["currency_iso_code"] == "GBP":
            total += line["amount"]
    stated = side.account["payment_details"]
    if stated["pending_balance"] + stated["payable_balance"] != total:
        yield "CLR-005", "SHOP", str(side.account["shop_id"])


def settlements(world: World, marketplace: str) -> Iterator[Finding]:
    """Settlements that are not in the books because their month is shut, or because they exceed what needs nobody."""
    side = world.mirakl[marketplace]
    lines = defaultdict(list)
    mixed: set[str | None] = set()
    for line in side.transaction_lines:
        if line["currency_iso_code"] != "GBP" and line["payment_state"] != "NOT_APPLICABLE":
            mixed.add(line.get("seller_billing_cycle_id"))
        if line["type"] != "PAYMENT" and line["currency_iso_code"] == "GBP":
            lines[line.get("seller_billing_cycle_id")].append(line)
    entity = "UKTRADE" if marketplace == "BRICO" else "NORTHHOME"
    posted = {leg.reference for leg in legs(world, marketplace)}
    shut = set()
    if marketplace == "HOMELY":
        periods = world.netsuite["NS_HOME"].tables["accountingperiod"]
        shut = {f"{p['startdate']:%Y-%m}" for p in periods if p["closed"] == "T" and p["isadjust"] == "F"}
    limits = settings_of(world, "approval_policies", kind="JOURNAL", marketplace_code=marketplace)
    newest = max(cycle["date_created"] for cycle in side.cycles)
    for cycle in side.cycles:
        day = instant(cycle["date_created"]).astimezone(LONDON).date()
        key = f"{entity}|{marketplace}|SETTLEMENT|{cycle['id']}|{day:%Y-%m}|1"
        wire = "TO" + hashlib.sha256(key.encode()).hexdigest()[:16].upper()
        # Lines of the newest cycle were never delivered: it waits for them. One with two currencies is never booked.
        if wire in posted or cycle["date_created"] == newest or cycle["id"] in mixed:
            continue
        if f"{day:%Y-%m}" in shut:
            yield "JNL-010", "JOURNAL", key
        elif any(debits(lines[cycle["id"]]) > Decimal(limit["maximum_amount"]) for limit in limits):
            yield "JNL-008", "JOURNAL", key


def debits(lines: list[dict[str, Any]]) -> Decimal:
    """What the settlement of these lines debits: clearing, refunds, and each kind of fee with its VAT apart."""
    kinds: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        kind = line["type"].removeprefix("REFUND_COMMISSION_").removeprefix("COMMISSION_")
        if kind.startswith(("MANUAL_", "INVOICEABLE_")):
            kind = "VAT of adjustments" if kind.endswith(("_VAT", "_TAX")) else "adjustments"
        elif "REMITTED" in kind or (kind.startswith("ORDER_") and kind.endswith("_TAX")):
            # Tax that the operator remits comes and goes; what is left is the seller's to declare, with its sale.
            kind = "refunds" if "REFUND" in line["type"] else "sales"
        elif "ORDER" in kind:
            kind = "sales" if line["amount"] > 0 else "refunds"
        kinds[kind] -= line["amount"]
        kinds["clearing"] += line["amount"]
    return sum((amount for amount in kinds.values() if amount > 0), Decimal(0))
