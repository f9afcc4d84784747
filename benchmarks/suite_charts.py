"""The charts of the suite, as SVG beside the page's other images; pygal draws the web app's charts as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pygal import Bar, StackedBar
from pygal.style import CleanStyle

from benchmarks.suite_page import lines_of, stages

WHOLE = frozenset({"all models and tests", "a day's change"})
"""Not stacked: the layers are in it already."""


def write_charts(results: Sequence[Mapping[str, Any]], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "growth.svg").write_bytes(growth([one for one in results if "matching" in one or "ingest" in one]))
    with_peers = [one for one in results if "peers" in one.get("reconciling", {})]
    if with_peers:
        (folder / "peers.svg").write_bytes(peers(with_peers))


def growth(results: Sequence[Mapping[str, Any]]) -> bytes:
    """Each stage's processor seconds per million lines, stacked, a bar for each size."""
    chart = _chart(StackedBar, "Processor seconds per million lines", [str(one["size"]) for one in results])
    by_size = [{row["stage"]: row["processor_seconds"] for row in stages(found)} for found in results]
    for stage in dict.fromkeys(stage for rows in by_size for stage in rows if stage not in WHOLE):
        chart.add(
            stage,
            [
                round(rows[stage] / (lines_of(found, stage) / 1e6), 1) if stage in rows else None
                for found, rows in zip(results, by_size, strict=True)
            ],
        )
    return bytes(chart.render())


def peers(results: Sequence[Mapping[str, Any]]) -> bytes:
    """The tools beside each other on one comparison, with the floor that answers seven more questions."""
    chart = _chart(Bar, "Processor seconds of one comparison", [str(one["size"]) for one in results])
    for tool in results[-1]["reconciling"]["peers"]:
        chart.add(tool, [round(one["reconciling"]["peers"][tool]["processor_seconds"], 2) for one in results])
    chart.add(
        "floor (all eight questions)",
        [round(one["reconciling"]["floor"]["processor_seconds"], 2) for one in results],
    )
    return bytes(chart.render())


def _chart(kind: Any, title: str, labels: list[str]) -> Any:
    return kind(
        title=title,
        x_labels=labels,
        width=900,
        height=420,
        style=CleanStyle,
        js=[],
        disable_xml_declaration=False,
        legend_at_bottom=True,
        print_values=False,
    )
