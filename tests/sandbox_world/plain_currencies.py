"""A second opinion on exchange rates and exchanged receipts: from the configuration, the cycles and the statements as
they are rendered, by arithmetic of its own.
"""

import csv
import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sandbox.world import World

ENTITY, CURRENCY = "UKTRADE", "EUR"
TOLERANCE = Decimal("0.02")
LONGEST = 7


def rates_of(world: World, source: str) -> dict[date, Decimal]:
    rows = [setting["values"] for setting in world.truth["settings"] if setting["file"] == "exchange_rates"]
    return {date.fromisoformat(r["rate_date"]): Decimal(r["rate"]) for r in rows if r["rate_source"] == source}


def newest(rates: dict[date, Decimal], day: date) -> date:
    return max(stated for stated in rates if stated <= day)


def wrong_rates(world: World) -> set[str]:
    """Ids of the treasurer's rates that are wrong, or too old for a day that needs one."""
    noted, central = rates_of(world, "TREASURY"), rates_of(world, "ECB")
    cycles = [date.fromisoformat(cycle["date_created"][:10]) for cycle in world.mirakl["BRICO"].cycles]
    found = set()
    for day in {*cycles, *(day for day, _, _ in receipts(world))}:
        stated = newest(noted, day)
        rate, market = noted[stated], central[newest(central, day)]
        is_old = (day - stated).days > LONGEST
        if is_old or abs(rate / market - 1) > TOLERANCE:
            found.add(f"{ENTITY}|{CURRENCY}|TREASURY|{stated}")
    return found


def receipts(world: World) -> list[tuple[date, str, Decimal]]:
    """Day, reference and amount of what the marketplace's payer sent."""
    found: dict[str, tuple[date, str, Decimal]] = {}
    for file in world.bank:
        if file.account != "BARC_GBP":
            continue
        text = file.content.decode()
        if file.name.endswith(".csv"):
            for row in csv.DictReader(text.splitlines()):
                if "BRICO MARKETPLACE" in row["Counterparty"]:
                    day, month, year = row["Value date"].split("/")
                    found[row["Entry reference"]] = (
                        date(int(year), int(month), int(day)),
                        row["Entry reference"],
                        Decimal(row["Amount"]),
                    )
            continue
        for entry in re.findall(r"<Ntry>.*?</Ntry>", text):
            if "BRICO MARKETPLACE" in entry:
                reference = re.search(r"<AcctSvcrRef>(.*?)<", entry)
                amount = re.search(r'<Amt Ccy="GBP">(.*?)<', entry)
                day = re.search(r"<ValDt><Dt>(.*?)<", entry)
                assert reference is not None
                assert amount is not None
                assert day is not None
                found[reference[1]] = (date.fromisoformat(day[1]), reference[1], Decimal(amount[1]))
    return list(found.values())


def bad_exchanges(world: World) -> set[str]:
    """Receipts of which no pay-out of the days before makes the day's rate within the tolerance."""
    central = rates_of(world, "ECB")
    payouts: list[tuple[date, Decimal]] = [
        (date.fromisoformat(cycle["pay_out"]["transaction_date"][:10]), _paid(cycle))
        for cycle in world.mirakl["BRICO"].cycles
        if cycle["pay_out"].get("transaction_date")
    ]
    found = set()
    for day, reference, amount in receipts(world):
        rate = central[newest(central, day)]
        near = [paid for sent, paid in payouts if sent - timedelta(days=1) <= day <= sent + timedelta(days=10)]
        if not any(abs(amount / (paid * rate) - 1) <= TOLERANCE for paid in near if paid):
            found.add(f"BARC_GBP-{reference}")
    return found


def _paid(cycle: dict[str, Any]) -> Decimal:
    return Decimal(cycle["amount_transferred_to_seller"])
