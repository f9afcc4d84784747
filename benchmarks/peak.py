"""A trading week in November at many times the usual volume, played on a clock of its own.

    python -m benchmarks.peak --orders-a-day 500 --factor 20 --page docs/peak.md

What is Tieout's own: the call budgets (orchestration/lib/budgets.py with call_budgets.csv decide when a feed may be
read and a file sent), the order in which lanes hand over writes, the acceptance limits of marketplaces.csv. What is
said on the command line, because it differs from site to site: orders a day, how long the vendors take, how long a
lane takes before it writes, when an ERP is down. One lane runs at a time, which is the slowest case: on a machine with
two processors they overlap.

Two marketplaces, BRICO with its books in Sage 200 and HOMELY with its books in NetSuite, share the machine. Every
order arrives at a moment of its own by a week's profile; it is known after the next reading of OR11, accepted when it
is in the ERP, and despatched by the warehouse during the following working day. On Friday the first ERP is down.
"""

from __future__ import annotations

import argparse
import csv
import heapq
import json
import random
import sys
import tempfile
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.lanes import percentile
from benchmarks.peak_page import write_page
from orchestration.lib.budgets import Budgets, KeyBudget
from orchestration.lib.configuration import CallBudget
from orchestration.lib.registry import read_rows
from orchestration.lib.settings import DEFAULT_CONFIG_DIR

HOUR, DAY = 3600.0, 86400.0
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SHARE_OF_DAY = (0.09, 0.09, 0.10, 0.13, 0.28, 0.17, 0.14)
"""Of the week's orders; Friday is Black Friday."""
SHARE_OF_HOUR = (1, 1, 1, 1, 1, 2, 3, 5, 7, 8, 8, 8, 8, 7, 6, 6, 6, 7, 8, 9, 9, 8, 5, 3)
STEP = 900.0
"""Seconds between two looks at the queues."""
RESULTS = Path(__file__).parent / "results" / "peak.json"


@dataclass(slots=True)
class Marketplace:
    """One marketplace and its ERP. Moments are seconds since Monday, 00:00."""

    code: str
    acceptance_seconds: float
    concurrency: int
    arrivals: list[float]
    down: tuple[float, float] | None
    seen: int = 0
    """So many of the arrivals are known."""
    waiting: list[float] = field(default_factory=list)
    """Known and not accepted, by arrival, which is by deadline."""
    despatches: list[float] = field(default_factory=list)
    """A heap of the moments at which the warehouse books what it sent."""
    accepted: list[tuple[float, float]] = field(default_factory=list)
    confirmed: list[tuple[float, float]] = field(default_factory=list)
    stock_pushed: float = 0.0
    stock_ages: list[float] = field(default_factory=list)

    def is_up(self, now: float) -> bool:
        return self.down is None or not self.down[0] <= now < self.down[1]


class World:
    """The clock, the marketplaces and one worker."""

    def __init__(self, options: argparse.Namespace, marketplaces: Sequence[Marketplace], folder: Path) -> None:
        self.options = options
        self.marketplaces = marketplaces
        self.now = 0.0
        rows = read_rows(DEFAULT_CONFIG_DIR, CallBudget)
        # Budgets take seconds since 1970; a zero would be "never".
        self.budgets = Budgets(folder / "budgets.db", rows, now=lambda: self.now + DAY, sleep=self._sleep)
        self.budget: dict[str, KeyBudget] = {
            one.code: self.budgets.of("mirakl", one.code, one.code) for one in marketplaces
        }
        self.calls = dict.fromkeys(("OR11", "OR21", "OR24", "STO01"), 0)
        self.draw = random.Random(options.seed)

    def _sleep(self, seconds: float) -> None:
        self.now += seconds

    def call(self, marketplace: Marketplace, name: str, *, is_first_page: bool = True) -> None:
        if self.budgets.allowance("mirakl", name, marketplace.code).maxima:
            self.budget[marketplace.code].take(name, is_first_page=is_first_page)
        self.calls[name] += 1
        self.now += self.options.call_seconds

    def orders_lane(self, marketplace: Marketplace) -> bool:
        """New orders in, and out again as ERP orders and acceptances; False when there was nothing to do."""
        budget = self.budget[marketplace.code]
        # What waits for a delivery is asked for as often as the vendor allows, otherwise as often as it recommends.
        is_due = budget.not_before("orders", is_wanted=bool(marketplace.waiting)) is None
        if not is_due and not (marketplace.waiting and marketplace.is_up(self.now)):
            return False
        if is_due:
            arrived = bisect_right(marketplace.arrivals, self.now)
            new = arrived - marketplace.seen
            with budget.reading("orders"):
                for page in range(1 + new // 100):
                    self.call(marketplace, "OR11", is_first_page=page == 0)
            marketplace.waiting += marketplace.arrivals[marketplace.seen : arrived]
            marketplace.seen = arrived
            if not new and not marketplace.waiting:
                return True
        self.now += self.options.lane_seconds + self.options.thousand_seconds * len(marketplace.waiting) / 1000
        batch: list[float] = []
        while marketplace.waiting and marketplace.is_up(self.now) and len(batch) < self.options.batch:
            batch.append(marketplace.waiting.pop(0))
            self.now += self.options.write_seconds / marketplace.concurrency
        for arrival in batch:
            self.call(marketplace, "OR21")
            marketplace.accepted.append((arrival, self.now))
            heapq.heappush(marketplace.despatches, self._despatched(self.now))
        return True

    def dispatch_lane(self, marketplace: Marketplace) -> bool:
        """Despatches that the ERP knows become confirmations."""
        if not (marketplace.despatches and marketplace.despatches[0] <= self.now and marketplace.is_up(self.now)):
            return False
        self.now += self.options.lane_seconds
        count = 0
        while marketplace.despatches and marketplace.despatches[0] <= self.now and count < self.options.batch:
            booked = heapq.heappop(marketplace.despatches)
            self.call(marketplace, "OR24")
            marketplace.confirmed.append((booked, self.now))
            count += 1
        return True

    def stock_lane(self, marketplace: Marketplace) -> bool:
        """Stock of the ERP to the marketplace, no more often than its file may be sent."""
        if self.now - marketplace.stock_pushed < self.options.stock_minutes * 60 or not marketplace.is_up(self.now):
            return False
        self.now += self.options.lane_seconds
        self.call(marketplace, "STO01")
        marketplace.stock_ages.append(self.now - marketplace.stock_pushed)
        marketplace.stock_pushed = self.now
        return True

    def _despatched(self, accepted: float) -> float:
        """At some moment of the next day between 08:00 and 18:00: in this week the warehouse works on Sunday, too."""
        day = accepted // DAY + 1
        return float(day * DAY + self.draw.uniform(8, 18) * HOUR)

    def run(self, until: float) -> list[dict[str, float]]:
        """The queues every quarter of an hour."""
        series: list[dict[str, float]] = []
        while self.now < until:
            began, did = self.now, False
            for lane in (self.orders_lane, self.dispatch_lane, self.stock_lane):
                for marketplace in self.marketplaces:
                    did |= lane(marketplace)
                    while len(series) * STEP <= self.now:
                        series.append(self._look(len(series) * STEP))
            if not did or self.now == began:
                self.now += self.options.pause
        return series

    def _look(self, at: float) -> dict[str, float]:
        found = {"hours": at / HOUR}
        for one in self.marketplaces:
            unknown = one.arrivals[one.seen : bisect_right(one.arrivals, at)]
            waits = [at - moment for moment in (*one.waiting[:1], *unknown[:1]) if moment <= at]
            found |= {
                f"{one.code} waiting": len(one.waiting) + len(unknown),
                f"{one.code} oldest, minutes": max(waits, default=0.0) / 60,
                f"{one.code} stock age, minutes": max(0.0, at - one.stock_pushed) / 60,
            }
        return found


def arrivals(count: int, draw: random.Random) -> list[float]:
    """Moments of so many orders over the week."""
    days = draw.choices(range(7), SHARE_OF_DAY, k=count)
    hours = draw.choices(range(24), SHARE_OF_HOUR, k=count)
    return sorted(day * DAY + hour * HOUR + draw.uniform(0, HOUR) for day, hour in zip(days, hours, strict=True))


def marketplaces(options: argparse.Namespace) -> Iterator[Marketplace]:
    with (DEFAULT_CONFIG_DIR / "marketplaces.csv").open(newline="", encoding="utf-8") as file:
        hours = {row["marketplace_code"]: float(row["acceptance_hours"]) for row in csv.DictReader(file)}
    draw = random.Random(options.seed)
    count = options.orders_a_day * options.factor * 7
    for code, concurrency in (("BRICO", options.sage200_writes), ("HOMELY", options.netsuite_writes)):
        is_first = code == "BRICO"
        down = (4 * DAY + 10 * HOUR, 4 * DAY + (10 + options.outage_hours) * HOUR) if is_first else None
        yield Marketplace(code, hours[code] * HOUR, concurrency, arrivals(count, draw), down)


def figures(one: Marketplace) -> dict[str, Any]:
    """Of one marketplace; seconds from arrival to acceptance, and from booking to confirmation."""
    waits = [end - start for start, end in one.accepted]
    begin, end_of_outage = one.down or (0.0, 0.0)
    others = [end - start for start, end in one.accepted if not begin - HOUR <= start < end_of_outage + HOUR]
    confirmations = [end - start for start, end in one.confirmed]
    return {
        "orders": len(one.arrivals),
        "accepted": len(one.accepted),
        "late": sum(wait > one.acceptance_seconds for wait in waits),
        "acceptance_seconds": _shares(waits),
        "acceptance_seconds_beside_the_outage": _shares(others),
        "least_hours_left": (one.acceptance_seconds - max(waits)) / HOUR,
        "confirmed": len(one.confirmed),
        "confirmation_seconds": _shares(confirmations),
        "stock_age_seconds": _shares(one.stock_ages),
        "caught_up_hours_after_outage": _caught_up(one),
    }


def _shares(values: Sequence[float]) -> dict[str, float]:
    return {"p50": percentile(values, 50), "p95": percentile(values, 95), "longest": max(values)}


def _caught_up(one: Marketplace) -> float | None:
    if one.down is None:
        return None
    ends = [end for start, end in one.accepted if start < one.down[1]]
    return (max(ends) - one.down[1]) / HOUR


def play(options: argparse.Namespace) -> dict[str, Any]:
    """One week, and two days more for what then still waits."""
    with tempfile.TemporaryDirectory(prefix="tieout-peak-") as name:
        world = World(options, list(marketplaces(options)), Path(name))
        series = world.run(9 * DAY)
    asked = {name: value for name, value in vars(options).items() if name not in ("output", "page")}
    return {
        "asked": asked,
        "calls": world.calls,
        "marketplaces": {one.code: figures(one) for one in world.marketplaces},
        "down": {one.code: one.down for one in world.marketplaces if one.down},
        "series": series,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--orders-a-day", type=int, default=500, help="of each marketplace, in an ordinary week")
    parser.add_argument("--factor", type=int, default=20, help="so many times that, in this week")
    parser.add_argument("--call-seconds", type=float, default=0.3, help="what a call to a marketplace takes")
    parser.add_argument("--write-seconds", type=float, default=0.6, help="what an ERP takes for one sales order")
    parser.add_argument("--sage200-writes", type=int, default=2, help="writes at once into Sage 200")
    parser.add_argument("--netsuite-writes", type=int, default=4, help="writes at once into NetSuite")
    parser.add_argument("--lane-seconds", type=float, default=15.0, help="what a lane takes before it writes")
    parser.add_argument("--thousand-seconds", type=float, default=5.0, help="more of it per 1,000 orders that wait")
    parser.add_argument("--batch", type=int, default=500, help="writes of one run of a lane")
    parser.add_argument("--pause", type=float, default=30.0, help="seconds between two looks for something to do")
    parser.add_argument("--stock-minutes", type=float, default=5.0, help="between two stock files of a marketplace")
    parser.add_argument("--outage-hours", type=float, default=6.0, help="BRICO's ERP on Friday from 10:00")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the figures go as JSON")
    parser.add_argument("--page", type=Path, help="write the page of the documentation here, its charts beside it")
    options = parser.parse_args()
    found = play(options)
    text = json.dumps({name: value for name, value in found.items() if name != "series"}, indent=2) + "\n"
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(text)
    if options.page:
        write_page(found, options.page)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
