"""A seller who trades in euro and keeps its books in pounds: rates by day, what the bank makes of a pay-out, what the
configuration must say.

A rate is what one euro is worth in pounds, as a Decimal with six places. The central bank's goes by working days; the
seller's treasurer notes that of every Monday for the week. Books translate at the central bank's.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from sandbox.world.business import Business, coded
from sandbox.world.model import BankEntry, Cycle, Setting
from sandbox.world.stamps import london_date

HOME, FOREIGN = "GBP", "EUR"
CENTRAL_BANK, TREASURER = "ECB", "TREASURY"
MIDDLE = 858_400
"""Millionths: about what one euro was worth when the world was invented; Sage's 1.165 euro for a pound."""
FURTHEST = 6_000
STEP = 900
BANK_SPREAD = Decimal("0.996")
"""What a bank leaves of a rate when it exchanges."""
_SIX_PLACES, _PENNY = Decimal("0.000001"), Decimal("0.01")


def in_pounds(amount: int, rate: Decimal) -> int:
    """Cents in pence at a rate, half away from zero."""
    return int((Decimal(amount) * rate).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def inverse(rate: Decimal) -> Decimal:
    return (1 / rate).quantize(_SIX_PLACES, rounding=ROUND_HALF_UP)


@dataclass(slots=True)
class Rates:
    """The rates from two weeks before `first_day` to `last`. `noted` are the treasurer's, which faults may bend."""

    central: dict[date, Decimal]
    noted: dict[date, Decimal] = field(default_factory=dict)

    @classmethod
    def between(cls, rng: random.Random, first_day: date, last: date) -> "Rates":
        day = first_day - timedelta(days=14 + first_day.weekday())
        central: dict[date, Decimal] = {}
        value = MIDDLE
        while day <= last:
            if day.weekday() < 5:
                value = min(max(value + rng.randrange(-STEP, STEP + 1), MIDDLE - FURTHEST), MIDDLE + FURTHEST)
                central[day] = Decimal(value).scaleb(-6)
            day += timedelta(days=1)
        return cls(central, {day: rate for day, rate in central.items() if day.weekday() == 0})

    def of(self, day: date) -> Decimal:
        """The central bank's newest rate on a day."""
        while day not in self.central:
            day -= timedelta(days=1)
        return self.central[day]

    def week_of(self, day: date) -> date:
        """The Monday whose rate the treasurer's journals of a day take."""
        return day - timedelta(days=day.weekday())


def foreign_receipts(business: Business, cycles: Iterable[Cycle], rates: Rates, last: int) -> list[BankEntry]:
    """Each pay-out once, exchanged by the bank on the day after: every other without a reference, so that only its
    rate tells which it is. The newest is on its way.
    """
    found: list[BankEntry] = []
    for cycle in cycles:
        if not cycle.payout or cycle.paid_at is None:
            continue
        day = london_date(cycle.paid_at) + timedelta(days=1)
        is_named = cycle.index % 2 == 0
        found.append(
            BankEntry(
                day=day,
                amount=exchanged(cycle.payout, rates.of(day), BANK_SPREAD),
                name=business.payer,
                remittance=f"PAYOUT {cycle.voucher}" if is_named else "MARKETPLACE SETTLEMENT",
                end_to_end=f"{business.end_to_end}{cycle.voucher}" if is_named else "NOTPROVIDED",
                code="TRF",
                account=business.payer_account,
                cycles=(cycle,),
                is_from_marketplace=True,
                sent=(cycle.payout, FOREIGN),
            )
        )
    return [entry for entry in found if entry.day <= london_date(last)]


def exchanged(amount: int, rate: Decimal, kept: Decimal) -> int:
    """What arrives, in pence, of `amount` cents when `kept` of the rate is left."""
    return in_pounds(amount, rate * kept)


REVERSE_CHARGE = ("RC_INPUT_VAT", "RC_OUTPUT_VAT")


def treasurer(business: Business) -> str:
    """The code of the seller's own source of rates."""
    return coded(TREASURER, business.number)


def settings(business: Business, rates: Rates) -> list[Setting]:
    """What a pipeline's configuration must say of it: all that is in pounds by default is in euro, and the rates."""
    marketplace, entity = {"marketplace_code": business.marketplace}, {"entity_code": business.entity}
    found = [
        Setting("marketplaces", marketplace, {"currency_code": FOREIGN}),
        Setting("accounts", entity | {"currency_code": HOME}, {"currency_code": FOREIGN}),
        # A reverse charge is of the VAT return, which is in pounds.
        *(Setting("accounts", entity | {"account_role": role}, {"currency_code": HOME}) for role in REVERSE_CHARGE),
        Setting("tolerances", {"currency_code": HOME}, {"currency_code": "*"}),
    ]
    central = coded(CENTRAL_BANK, business.number)
    found += [_rule(entity, "LEDGER", priority, treasurer(business)) for priority in ("1", "2")]
    found.append(_rule(entity, "REFERENCE", "1", central))
    for source, stated in ((central, rates.central), (treasurer(business), rates.noted)):
        for day, rate in sorted(stated.items()):
            values = {
                "rate_source": source,
                "currency_code": FOREIGN,
                "quote_currency_code": HOME,
                "rate_date": day.isoformat(),
                "rate": str(rate),
            }
            found.append(Setting("exchange_rates", {}, values))
    return found


def _rule(entity: dict[str, str], purpose: str, priority: str, source: str) -> Setting:
    values = {"purpose": purpose, "priority": priority, "rate_source": source}
    return Setting(
        "exchange_rate_rules", {}, entity | values | {"maximum_age_days": "7", "effective_from": "2020-01-01"}
    )
