"""Plays the days: what the town does, what Tieout does about it, and what it costs; then the verdict.

One process runs every lane, as the long-lived code server does, so that what it keeps shows in its memory.
"""

from __future__ import annotations

import gc
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
from rich.console import Console

from orchestration.lib.connections import Connections
from orchestration.lib.integrity import verify
from orchestration.lib.lanes import run_lane
from orchestration.lib.registry import load_registry
from orchestration.lib.settings import Settings
from orchestration.lib.storage import storage
from orchestration.outbox import Outbox
from sandbox.config import Places, read_environment
from sandbox.demo_site import OWN_VARIABLES, serving
from tests.soak.town import SHOP, Town, only_this_bank_account

ORDERS_OF_WORLD = 250
ENDED = frozenset({"VERIFIED", "REJECTED", "SUPERSEDED"})
NATURAL_UNTIL = "2026-07-04"
"""Pay-outs of the generated world before the year: some of them are short or failed on purpose."""


@dataclass
class Day:
    """A day on which the lanes ran. Bytes; `seconds` of the clock on the wall, `processor` of this process."""

    at: str
    seconds: float
    processor: float
    memory: int
    data: int
    evidence: int
    warehouse: int
    working: int
    records: int
    orders: int
    unknown_fields: int
    unknown_values: int
    open_exceptions: dict[str, int]
    problems: list[str]


@dataclass
class Year:
    """`simulated_days` that passed, the `days` of them on which lanes ran, and what was wrong in the end."""

    simulated_days: int = 0
    lane_runs: int = 0
    orders: int = 0
    shipped: int = 0
    payouts: int = 0
    months_closed: int = 0
    journals: int = 0
    verified_writes: dict[str, int] = field(default_factory=dict)
    days: list[Day] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def calendar(start: datetime, days: int, every: int) -> list[tuple[datetime, bool]]:
    """When lanes run, and whether customers order then. Between the regular days: the nights on which the clocks
    change, and the last minute of each year.
    """
    end = start + timedelta(days=days)
    moments = {start + timedelta(days=number): True for number in range(0, days + 1, every)}
    london = ZoneInfo("Europe/London")
    hour = start.replace(hour=0, minute=30, second=0, microsecond=0)
    while hour < end:
        after = hour + timedelta(hours=1)
        if hour.astimezone(london).utcoffset() != after.astimezone(london).utcoffset():
            moments[after] = False
        if (hour.year, hour.month, hour.day, hour.hour) == (hour.year, 12, 31, 23):
            moments[hour + timedelta(minutes=29)] = False
        hour = after
    return sorted((at, has_orders) for at, has_orders in moments.items() if start <= at <= end)


def play(
    places: Places, out: Console, *, days: int, every: int, orders: int, seed: int, save: Callable[[Year], None]
) -> Year:
    """The year, from the vendors to the verdict. `save` is called after every day with what there is so far."""
    year = Year()
    with serving(
        places, ORDERS_OF_WORLD, seed, out, faults=False, marketplaces=[SHOP], erp="netsuite", settlement_led=[SHOP]
    ) as url:
        for name in [one for one in os.environ if one.startswith(OWN_VARIABLES)]:
            del os.environ[name]
        os.environ.update(read_environment(places.env))
        only_this_bank_account(places.config)
        settings = Settings()
        assert settings.as_of is not None
        start = settings.as_of
        town = Town.at(url, places, Connections(load_registry(settings.config_dir), settings), seed)
        town.keep_moulds()
        for at, has_orders in calendar(start, days, every):
            is_grown = at > start + timedelta(days=days) / 2
            year.days.append(_day(town, settings, at, orders if has_orders else 0, is_grown, year))
            year.simulated_days = (at - start).days
            judge(year, town, settings.model_copy(update={"as_of": at}))
            save(year)
            last = year.days[-1]
            out.print(
                f"{last.at} {last.seconds:.0f} s, memory {last.memory / 1e6:.0f} MB, data {last.data / 1e6:.0f} MB, "
                f"{year.problems[:2] or 'all ties'}",
                markup=False,
                soft_wrap=True,
            )
    return year


def _day(town: Town, settings: Settings, at: datetime, orders: int, is_grown: bool, year: Year) -> Day:
    began, worked = time.monotonic(), time.process_time()
    problems: list[str] = []
    unknown: Counter[str] = Counter()
    values: Counter[str] = Counter()

    def lane(name: str, minutes: int) -> None:
        result = run_lane(name, settings.model_copy(update={"as_of": at + timedelta(minutes=minutes)}))
        problems.extend(f"{name}: {one.stage} {one.account}: {one.detail}" for one in result.problems)
        problems.extend(f"{name}: {words}" for words in result.tests_failed)
        unknown.update(result.unknown_fields)
        values.update(result.unknown_values)
        year.lane_runs += 1

    town.clock(at)
    town.pay_in(at)
    if orders:
        town.order(at, orders, is_grown=is_grown)
        lane("orders", 0)
        town.clock(at + timedelta(hours=2))
        town.ship(at + timedelta(hours=2))
        lane("dispatch", 125)
    lane("settlement", 130)
    town.close_month(at)
    gc.collect()
    found = storage(settings)
    parts = {part.name: part.byte_count for part in found.parts}
    with duckdb.connect(str(settings.published_path), read_only=True) as marts:
        rows = marts.execute(
            "select exception_code, count(*) from marts.exceptions where status <> 'RESOLVED' group by 1 order by 1"
        ).fetchall()
    return Day(
        at=f"{at:%Y-%m-%dT%H:%MZ}",
        seconds=round(time.monotonic() - began, 1),
        processor=round(time.process_time() - worked, 1),
        memory=_resident(),
        data=found.byte_count,
        evidence=parts["evidence"],
        warehouse=parts["warehouse"],
        working=parts["working files"],
        records=found.records,
        orders=orders,
        unknown_fields=len(unknown),
        unknown_values=len(values),
        open_exceptions=dict(rows),
        problems=problems,
    )


def judge(year: Year, town: Town, settings: Settings) -> None:
    """What must hold at the end of every day: each pay-out explained, clearing tied, no action unresolved, nothing
    edited.
    """
    problems = [f"{day.at}: {words}" for day in year.days for words in day.problems]
    with duckdb.connect(str(settings.published_path), read_only=True) as marts:
        for what, query in _MUST_BE_EMPTY.items():
            problems += [f"{what}: {row}" for row in marts.execute(query).fetchall()]
        paid = {str(voucher): amount for voucher, amount in marts.execute(_EXPLAINED, [NATURAL_UNTIL]).fetchall()}
        ((year.journals,),) = marts.execute("select count(*) from marts.journals").fetchall()
    outbox = Outbox(settings.outbox_address, settings.clock)
    try:
        rows = outbox.snapshot().to_pylist()
    finally:
        outbox.close()
    problems += [f"unresolved: {row['action_key']} is {row['state']}" for row in rows if row["state"] not in ENDED]
    year.verified_writes = dict(sorted(Counter(row["kind"] for row in rows if row["state"] == "VERIFIED").items()))
    problems += [f"integrity: {words}" for words in verify(settings).problems]
    year.orders, year.shipped, year.payouts = town.orders, town.shipped, len(paid)
    year.months_closed = len(town.closed)
    year.problems = problems


def _resident() -> int:
    """Bytes of this process that are in memory now, not at its peak (Linux)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


_MUST_BE_EMPTY: Mapping[str, str] = {
    "a pay-out is not explained": f"""
        select subject_id, exception_code, residual_amount from marts.unmatched_payouts
        where status = 'EXCEPTION' and subject_type = 'PAYOUT' and since_date >= date '{NATURAL_UNTIL}'
    """,
    "clearing does not tie": """
        select period, account_role, difference_amount, unexplained_amount from marts.clearing_rollforward
        where difference_amount <> 0 or unexplained_amount <> 0
    """,
    "a control total does not balance": """
        select control_code, feed, measure, difference from marts.control_totals where not is_balanced
    """,
}
_EXPLAINED = """
    select billing_cycle_id, payout_amount from marts.fct_cycles where pay_out_state = 'PAID' and pay_out_date >= $1
"""
