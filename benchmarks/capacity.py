"""From orders a day to a machine, its disk, the vendors' calls and the time to close, from the suite's figures.

Between and beyond sizes that were run a cost is a fixed part and a part per line, through the two largest sizes; from a
single size it is taken as proportional, which is too much for larger ones where dbt's fixed part is in it. Further than
ten times what was run nothing is said.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Found = Mapping[str, Any]
LINES_AN_ORDER = 10
"""As the generated sellers have."""
DAYS = 365
ORDERS_A_DAY = (100, 1_000, 10_000, 100_000)
REBUILD_HOURS = 4.0
"""What a whole build may take: a night."""
WRITE_SECONDS, WRITES_AT_ONCE = 0.6, 2
"""What benchmarks/peak.py assumes of an ERP (Sage 200)."""
ORDERS_A_PAGE, LINES_A_PAGE = 100, 2_000
LOOKS_A_DAY = 24 * 60
"""OR11 may be asked once a minute."""
LINE_READINGS_A_DAY = 20
"""Of the settlement lane: what Mirakl recommends for TL02."""
STOCK_FILES_A_DAY = 24 * 12
NOT_MEASURED = "not measured"
REACH = 10
"""So many times the largest size that was run a straight line may be drawn."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What so many orders a day need; None is not measured. Seconds are the processor's, over all cores."""

    orders_a_day: int
    lines_a_year: int
    disk_bytes: float | None
    build_seconds: float | None
    change_seconds: float | None
    cores: int | None
    close_seconds: float | None
    marketplace_calls_a_day: int
    erp_hours_a_day: float
    is_measured: bool
    """Whether as many lines as a year has were run."""


def plan(orders_a_day: int, results: Sequence[Found]) -> Plan:
    """Raises ValueError when no result has models."""
    sized = [found for found in results if "matching" in found]
    if not sized:
        raise ValueError("no result of the suite has models")
    lines_a_day = orders_a_day * LINES_AN_ORDER
    lines = lines_a_day * DAYS

    def cost(of: Callable[[Found], float], at: float = lines) -> float:
        points = sorted((float(found["matching"]["transaction_lines"]), of(found)) for found in sized)
        return line_through(points, at)

    build = cost(lambda found: found["matching"]["cold"]["processor_seconds"])
    publish = cost(lambda found: found["matching"]["publish"]["processor_seconds"])
    change = cost(lambda found: found["matching"]["change"]["processor_seconds"])
    disk = cost(lambda found: found["matching"]["warehouse_bytes"])
    disk += cost(
        lambda found: found["matching"]["publish"]["published_bytes"] + found["matching"]["publish"]["parquet_bytes"]
    )
    with_evidence = [found for found in results if "ingest" in found]
    if with_evidence:
        part = with_evidence[-1]["ingest"]
        run = part["tieout"][0]
        disk += (run["evidence_bytes"] + run["manifest_bytes"]) / part["records"]["lines"] * lines
    closed = sorted(
        (float(found["close"]["month_lines"]), float(found["close"]["seconds"]))
        for found in results
        if "close" in found
    )
    most = max(int(found["matching"]["transaction_lines"]) for found in sized)
    is_near = lines <= REACH * most
    return Plan(
        orders_a_day,
        lines,
        disk if is_near else None,
        build + publish if is_near else None,
        change + publish if is_near else None,
        max(1, math.ceil((build + publish) / (REBUILD_HOURS * 3600))) if is_near else None,
        line_through(closed, lines / 12) if closed and lines / 12 <= REACH * closed[-1][0] else None,
        LOOKS_A_DAY
        + math.ceil(orders_a_day / ORDERS_A_PAGE)
        + 2 * orders_a_day  # OR21 and OR24
        + LINE_READINGS_A_DAY
        + math.ceil(lines_a_day / LINES_A_PAGE)
        + STOCK_FILES_A_DAY,
        orders_a_day * WRITE_SECONDS / WRITES_AT_ONCE / 3600,
        lines <= most,
    )


def line_through(points: Sequence[tuple[float, float]], at: float) -> float:
    """The cost at a size, from the costs at the two largest sizes that were measured, never less than nothing a "
    "line."""
    (size, value), others = points[-1], points[:-1]
    if not others:
        return value / size * at
    smaller, less = others[-1]
    slope = max(0.0, (value - less) / (size - smaller))
    return max(0.0, value + slope * (at - size))


def _shown(value: float | None, unit: float) -> str:
    return NOT_MEASURED if value is None else f"{value / unit:,.1f}"


def text(results: Sequence[Found]) -> str:
    """The generated part of docs/capacity.md."""
    return "\n".join(_lines(results))


def _lines(results: Sequence[Found]) -> Iterator[str]:
    sized = [found for found in results if "matching" in found]
    if not sized:
        yield "Nothing was measured yet: `make bench`."
        return
    names = ", ".join(str(found["size"]) for found in sized)
    most = max(int(found["matching"]["transaction_lines"]) for found in sized)
    memory = max(found["matching"]["cold"]["peak_bytes"] for found in sized)
    cores = sized[-1]["machine"]["cores"]
    yield (
        f"Computed by `benchmarks/capacity.py` from the suite at {names} transaction lines ({cores} cores), for a year "
        f"of history with {LINES_AN_ORDER} transaction lines an order. Rows marked * have more lines than were run: a "
        f"straight line through what was, no measurement; beyond {REACH} times what was run, nothing is said."
    )
    if len(sized) == 1:
        yield (
            "From a single size a cost is taken as proportional, its fixed part included, which is too much for "
            "larger ones."
        )
    yield ""
    yield (
        "| orders a day | lines a year | disk, GB | all models anew and published, processor minutes | "
        "after a day's change, processor minutes | cores for a rebuild in "
        f"{REBUILD_HOURS:g} h | closing a month, minutes | calls to a marketplace a day | hours of ERP writes a day |"
    )
    yield "|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    for orders in ORDERS_A_DAY:
        one = plan(orders, results)
        yield (
            f"| {orders:,}{'' if one.is_measured else ' *'} | {one.lines_a_year:,} | {_shown(one.disk_bytes, 1e9)} | "
            f"{_shown(one.build_seconds, 60)} | {_shown(one.change_seconds, 60)} | {one.cores or NOT_MEASURED} | "
            f"{_shown(one.close_seconds, 60)} | {one.marketplace_calls_a_day:,} | {one.erp_hours_a_day:.1f} |"
        )
    yield ""
    yield (
        f"**Memory.** The largest build that was run, {most:,} lines, held {memory / 1e9:.2f} GB at its largest; "
        "DuckDB keeps "
        "to `TIEOUT_MEMORY_LIMIT` and spills beyond it."
    )
    yield ""
    yield (
        f"**Where DuckDB ends and Spark begins.** Up to {most:,} lines DuckDB on one machine is measured; where it "
        f"ends is {NOT_MEASURED}. The speed of the Spark target is {NOT_MEASURED}; that its marts are "
        "equal is (`make parity-spark`, [spark.md](spark.md))."
    )
    yield ""
    yield (
        f"**Calls.** One look at OR11 a minute, {ORDERS_A_PAGE} orders a page; OR21 and OR24 once an order; "
        f"{LINE_READINGS_A_DAY} readings of transaction lines a day, {LINES_A_PAGE:,} a page; a stock file every "
        "five "
        f"minutes. **ERP writes**: one sales order an order, {WRITE_SECONDS:g} s each and {WRITES_AT_ONCE} at a "
        "time, as "
        "[peak.md](peak.md) assumes of Sage 200; above 24 hours a day the ERP is the limit, whatever Tieout runs on."
    )
