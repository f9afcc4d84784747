"""What each seed is played as: how large the world is, when it is, who keeps which books, and how the feeds arrive.

Drawn from the seed alone, so that a seed that failed is the same scenario on every machine. Ten seeds in a row are
sellers of one installation: they share the moment and the way of arrival, and nothing else.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

MOMENTS: Mapping[str, str] = {
    "an ordinary morning": "2026-07-03T08:00:00Z",
    "month end: June in UTC, July in London": "2026-06-30T23:30:00Z",
    "the last evening of a quarter": "2026-09-30T22:30:00Z",
    "the last minute of a year": "2026-12-31T23:59:00Z",
    "the first working hours of a year": "2027-01-04T09:00:00Z",
    "the night the clocks go forward": "2026-03-29T01:30:00Z",
    "the morning after the clocks went forward": "2026-03-30T07:00:00Z",
    "the hour that comes twice": "2026-10-25T00:30:00Z",
    "leap day": "2028-02-29T12:00:00Z",
    "a Sunday": "2026-08-30T12:00:00Z",
    "the day of a cycle's cut": "2026-05-11T06:00:00Z",
}
"""Moments that have broken calendars before: the world's present, in UTC."""

ARRIVALS = ("WHOLE", "MARKETPLACE_LATE", "ERP_LATE", "BANK_LATE", "REPLAYED", "FEED_BY_FEED")
"""How the feeds arrive. Late: a first run without that side, then one with it. Replayed: everything read twice.
Feed by feed: feeds are loaded one after the other, in a random order.
"""
SMALLEST = 320
LARGE = 3_000
TOGETHER = 10
"""How many seeds in a row one installation reads."""
SETTLEMENT_LED_SHARE = 0.25
"""How many of the sellers that can have their sales booked by settlements do."""
FRESH_FOR = timedelta(hours=2)
"""How old a stock feed may be."""
ARRIVES_AS = {"STK-005": "stock_feed_that_stopped"}
"""What no world can hold, because it is about when a feed was read; `Scenario.early` plants it."""
FOREIGN_SHARE = 0.15
"""The share of sellers who trade in euro; they have the faults of foreign money and no others."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """`orders` counts BRICO's, as `build_world` takes it. `erp` is where BRICO's books are. `number` is the world's:
    its seed, unless two sellers of one installation live in the same world.
    """

    seed: int
    number: int
    orders: int
    moment: str
    as_of: datetime
    erp: str
    marketplaces: tuple[str, ...]
    arrival: str
    currency: str = "GBP"
    """What BRICO trades in; its books are in pounds."""
    settlement_led: tuple[str, ...] = ()
    """Marketplaces whose settlements book the sales; the others invoice them."""

    @classmethod
    def of(cls, seed: int, largest: int = LARGE) -> Scenario:
        """One of ten is large (`largest`); moments and ways of arrival take turns, ERPs and marketplaces are drawn."""
        rng = random.Random(f"accuracy {seed}")
        number = _installation(seed)
        moment = tuple(MOMENTS)[number % len(MOMENTS)]
        orders = largest if rng.random() < 0.1 else rng.randrange(SMALLEST, max(SMALLEST, min(900, largest)) + 1)
        others = rng.choice((("HOMELY", "PLAZA"), ("HOMELY", "PLAZA"), ("HOMELY",), ("PLAZA",)))
        erp = rng.choice(("sage200", "netsuite"))
        marketplaces = ("BRICO", *others)
        # Of streams of their own: what the other draws of a seed say does not depend on them.
        currency = "EUR" if random.Random(f"currency {seed}").random() < FOREIGN_SHARE else "GBP"
        # Settlement-led books take an ERP with journals and the currency of the books; HOMELY has both.
        takes_journals = erp == "netsuite" and currency == "GBP"
        sellers = [code for code in marketplaces if code == "HOMELY" or (code == "BRICO" and takes_journals)]
        return cls(
            seed=seed,
            number=seed,
            orders=orders,
            moment=moment,
            as_of=datetime.fromisoformat(MOMENTS[moment]),
            erp=erp,
            marketplaces=marketplaces,
            arrival=ARRIVALS[number % len(ARRIVALS)],
            currency=currency,
            settlement_led=tuple(x for x in sellers if random.Random(f"{x} {seed}").random() < SETTLEMENT_LED_SHARE),
        )

    @property
    def early(self) -> dict[tuple[str, str, str], datetime]:
        """Feeds (vendor, account, entity) of BRICO's stock that answered once, at that time, and not again: its offers
        or its ERP's quantities a minute longer ago than they may be, the other one just as long ago as it may be.
        """
        offers = ("mirakl", f"BRICO{self.number}", "offers")
        company = "NS_UK" if self.erp == "netsuite" else "SAGE_UK"
        stock = (self.erp, f"{company}{self.number}", "stock" if self.erp == "netsuite" else "warehouse_holdings")
        stopped, slow = (offers, stock) if self.seed % 2 else (stock, offers)
        return {stopped: self.as_of - FRESH_FOR - timedelta(minutes=1), slow: self.as_of - FRESH_FOR}

    def tell(self, truth: dict[str, Any]) -> None:
        """Adds to a world's truth what the arrival plants."""
        (*_, stopped), (*_, slow) = self.early
        subject = {"marketplace_code": f"BRICO{self.number}", "subject_type": "FEED"}
        (code,) = ARRIVES_AS
        told = {"exception_code": code, "fault": ARRIVES_AS[code], "root_cause": "SYNC", "amount": None}
        truth["exceptions"].append(subject | told | {"subject_id": stopped})
        missed = {"near_miss": "just as old as it may be", "not_code": code}
        truth["near_misses"].append(subject | missed | {"subject_id": slow})

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {self.orders:,} orders, {', '.join(self.marketplaces)}, books in {self.erp}, "
            f"{self.currency}, {self.moment} ({self.as_of:%Y-%m-%dT%H:%MZ}), {self.arrival}"
            + (f", settlement-led: {', '.join(self.settlement_led)}" if self.settlement_led else "")
        )


def _installation(seed: int) -> int:
    return (seed - 1) // TOGETHER


def installations(seeds: Iterable[int]) -> list[tuple[int, ...]]:
    """The seeds by the installation that they are sellers of."""
    return [tuple(group) for _, group in groupby(sorted(seeds), key=_installation)]
