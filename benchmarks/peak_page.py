"""The page of benchmarks.peak: its figures as tables, its queues as charts (SVG beside the page's other images)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pygal import XY
from pygal.style import CleanStyle

SHOWN = {
    "waiting": ("Orders that wait to be accepted", "orders"),
    "oldest, minutes": ("How long the oldest of them has waited", "minutes"),
    "stock age, minutes": ("Age of the stock at the marketplace", "minutes"),
}


def write_page(found: Mapping[str, Any], page: Path) -> None:
    """Writes the page and, below `images/peak` beside it, a chart for each queue."""
    folder = page.parent / "images" / "peak"
    folder.mkdir(parents=True, exist_ok=True)
    charts = []
    for name, (title, unit) in SHOWN.items():
        file = folder / f"{name.partition(',')[0].replace(' ', '-')}.svg"
        file.write_bytes(_chart(found["series"], name, title, unit))
        charts.append(f"![{title}]({file.relative_to(page.parent)})")
    page.write_text("\n".join([*_lines(found), "", "\n\n".join(charts), ""]), encoding="utf-8")


def _chart(series: Sequence[Mapping[str, float]], name: str, title: str, unit: str) -> bytes:
    chart = XY(
        title=title,
        x_title="hours since Monday, 00:00",
        y_title=unit,
        show_dots=False,
        width=900,
        height=360,
        style=CleanStyle,
        js=[],
        disable_xml_declaration=False,
        legend_at_bottom=True,
        x_labels=[24 * day for day in range(int(series[-1]["hours"] // 24) + 1)],
    )
    for key in series[0]:
        if key.endswith(f" {name}"):
            chart.add(key.removesuffix(f" {name}"), [(look["hours"], round(look[key], 1)) for look in series])
    return bytes(chart.render())


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    asked = found["asked"]
    yield "# A week in November"
    yield ""
    yield "<!-- written by python -m benchmarks.peak --page docs/peak.md -->"
    yield ""
    yield (
        f"{asked['factor']} times the usual {asked['orders_a_day']:,} orders a day at each of two marketplaces on one "
        "machine, played on a clock of its own. Tieout's own call budgets decide when a feed may be read and a file "
        "sent; acceptance limits are those of `marketplaces.csv`. One lane runs at a time, which is the slowest case. "
        "It is a simulation: it shows what the vendors' limits and the lanes' order do to the queues, not how fast a "
        "vendor or your machine is. Those figures are assumptions, and arguments:"
    )
    yield ""
    yield "| assumed | |"
    yield "|---|---|"
    yield f"| a call to a marketplace | {asked['call_seconds']} s |"
    yield f"| a sales order in an ERP | {asked['write_seconds']} s |"
    at_once, seconds = "at once into Sage 200 (BRICO), NetSuite (HOMELY)", asked["lane_seconds"]
    yield f"| {at_once} | {asked['sage200_writes']}, {asked['netsuite_writes']} |"
    yield f"| a lane before it writes | {seconds:g} s + {asked['thousand_seconds']:g} s per 1,000 orders |"
    yield f"| orders, or confirmations, of one run | at most {asked['batch']} |"
    yield f"| a stock file | every {asked['stock_minutes']:g} minutes |"
    yield f"| BRICO's ERP does not answer | Friday, 10:00, for {asked['outage_hours']:g} hours |"
    yield ""
    yield "| | " + " | ".join(found["marketplaces"]) + " |"
    yield "|---|" + "---|" * len(found["marketplaces"])
    for label, value in (
        ("orders", lambda one: f"{one['orders']:,}"),
        ("accepted", lambda one: f"{one['accepted']:,}"),
        ("accepted too late", lambda one: f"{one['late']:,}"),
        ("least time left at an acceptance, hours", lambda one: f"{one['least_hours_left']:.1f}"),
        ("order to acceptance, minutes: p50, p95, longest", lambda one: _minutes(one["acceptance_seconds"])),
        (
            "the same without the outage's orders",
            lambda one: _minutes(one["acceptance_seconds_beside_the_outage"]),
        ),
        ("hours until the outage's orders were accepted", lambda one: _hours(one["caught_up_hours_after_outage"])),
        ("despatch to confirmation, minutes: p50, p95, longest", lambda one: _minutes(one["confirmation_seconds"])),
        ("age of the stock when it is renewed, minutes", lambda one: _minutes(one["stock_age_seconds"])),
    ):
        yield f"| {label} | " + " | ".join(value(one) for one in found["marketplaces"].values()) + " |"
    yield ""
    yield "Calls: " + ", ".join(f"{name} {count:,}" for name, count in found["calls"].items()) + "."


def _minutes(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{seconds / 60:.1f}" for seconds in shares.values())


def _hours(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"
