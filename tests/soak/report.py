"""The soak's figures as a table and two charts in the documentation."""

from __future__ import annotations

from pathlib import Path

import pygal
from pygal.style import Style

from tests.soak.year import Year

BEGIN, END = "<!-- soak: begin, written by `make soak` -->", "<!-- soak: end -->"
STYLE = Style(
    background="white", plot_background="white", font_family="sans-serif", colors=("#0b6e4f", "#9a3412", "#1d4ed8")
)


def publish(year: Year, page: Path, command: str) -> None:
    """Writes the table between the page's marks, and the charts beside it."""
    text = page.read_text("utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    page.write_text(f"{head}{BEGIN}\n{table(year, command)}{END}{tail}", encoding="utf-8")
    charts(year, page.parent / "images")


def table(year: Year, command: str) -> str:
    first, last = year.days[0], year.days[-1]
    settled = year.days[min(1, len(year.days) - 1)]
    grown = [day for day in year.days if day.unknown_fields or day.unknown_values]
    per_day = (last.data - settled.data) / max(1, year.simulated_days) / 1e6
    rows = [
        ("days that passed", f"{year.simulated_days}, from {first.at[:10]} to {last.at[:10]}"),
        ("days on which the lanes ran", f"{len(year.days)} ({year.lane_runs} lane runs)"),
        ("orders placed / shipped", f"{year.orders} / {year.shipped}"),
        ("pay-outs, each explained", f"{year.payouts}"),
        ("months closed in the ERP", f"{year.months_closed}"),
        ("journals", f"{year.journals}"),
        ("writes proved", ", ".join(f"{kind} {count}" for kind, count in year.verified_writes.items())),
        ("days on which unknown fields or values came", f"{len(grown)}"),
        (
            "memory of the process",
            f"{settled.memory / 1e6:.0f} MB after the second run day, {last.memory / 1e6:.0f} MB at the end",
        ),
        (
            "data folder",
            f"{settled.data / 1e6:.0f} MB on the second, {last.data / 1e6:.0f} MB at the end ({per_day:.1f} a day)",
        ),
        (
            "of it evidence / warehouse / working files",
            f"{last.evidence / 1e6:.1f} / {last.warehouse / 1e6:.0f} / {last.working / 1e6:.0f} MB",
        ),
        ("problems", f"{len(year.problems)}"),
    ]
    lines = [f"`{command}`:", "", "| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows), ""]
    lines += ["![Memory of the process](images/soak-memory.svg)", "", "![The data folder](images/soak-disk.svg)", ""]
    return "\n".join(lines)


def charts(year: Year, folder: Path) -> None:
    dates = [day.at[:10] for day in year.days]

    def draw(name: str, title: str, series: dict[str, list[float]]) -> None:
        chart = pygal.Line(
            title=title,
            style=STYLE,
            width=900,
            height=320,
            x_label_rotation=30,
            show_minor_x_labels=False,
            dots_size=2,
            range=(0, max(max(values) for values in series.values()) * 1.1),
            js=[],
            disable_xml_declaration=True,
            no_prefix=True,
        )
        chart.x_labels = dates
        chart.x_labels_major = dates[:: max(1, len(dates) // 12)]
        for label, values in series.items():
            chart.add(label, values)
        (folder / name).write_text(str(chart.render()) + "\n", encoding="utf-8")

    draw("soak-memory.svg", "Memory of the process, MB", {"resident": [day.memory / 1e6 for day in year.days]})
    draw(
        "soak-disk.svg",
        "The data folder, MB",
        {
            "all": [day.data / 1e6 for day in year.days],
            "warehouse": [day.warehouse / 1e6 for day in year.days],
            "working files": [day.working / 1e6 for day in year.days],
        },
    )
