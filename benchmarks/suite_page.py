"""Writes what the suite measured: the generated part of docs/benchmarks.md with its charts, and docs/capacity.md.

    python -m benchmarks.suite_page     # from benchmarks/results/bench-*.json

The figures it shows lie in docs/measurements/, one file a size, and the page carries their digests: a test writes the
parts again from those files, so nothing in them can be typed by hand.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import capacity

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGE = DOCS / "benchmarks.md"
MEASUREMENTS = DOCS / "measurements"
BEGIN, END = "<!-- suite: written by python -m benchmarks.suite_page -->", "<!-- end of suite -->"
MEGABYTE = 1_000_000
LAYERS = {
    "starting": "dbt, starting",
    "seeds": "configuration",
    "staging": "staging",
    "ledger": "ledger",
    "matching": "matching",
    "accounting": "journals and accounting",
    "marts": "marts",
    "actions": "actions",
    "tests": "tests of rows",
}
Found = Mapping[str, Any]


def stages(found: Found) -> list[dict[str, Any]]:
    """What the suite measured, stage by stage; None where a stage has no such figure."""
    rows: list[dict[str, Any]] = []

    def add(name: str, run: Found, disk: int | None, **values: Any) -> None:
        kept = {key: run.get(key) for key in ("seconds", "processor_seconds", "peak_bytes")}
        rows.append({"stage": name, **kept, "disk_bytes": disk, **values})

    if "ingest" in found:
        run = found["ingest"]["tieout"][0]
        add("reading over HTTP, landing and loading", run, run["evidence_bytes"] + run["warehouse_bytes"])
    if "matching" in found:
        matching, sizes = found["matching"], found["matching"]["schema_bytes"]
        for layer, run in matching["cold"]["layers"].items():
            add(LAYERS[layer], run, sizes.get(layer))
        whole = sum(size for schema, size in sizes.items() if schema != "raw")
        add("all models and tests", matching["cold"], whole)
        publish = matching["publish"]
        add("publishing", publish, publish["published_bytes"] + publish["parquet_bytes"])
        change = f"all models and tests after {matching['changed_lines']:,} changed lines"
        add("a day's change", matching["change"], None, note=change)
    return rows


def lines_of(found: Found, stage: str) -> int:
    """How many transaction lines a stage had: the models have whole copies of one seller."""
    is_read = stage.startswith("reading")
    return int(found["ingest"]["records"]["lines"] if is_read else found["matching"]["transaction_lines"])


def text(results: Sequence[Found]) -> str:
    """The part of the page, from results in the order of their sizes."""
    return "\n".join(_lines(sorted(results, key=lambda one: int(one["lines"]))))


def _lines(results: Sequence[Found]) -> Iterator[str]:
    largest = results[-1]
    machine = largest["machine"]
    yield (
        f"{machine['cores']} cores ({machine['processor']}), {machine['memory_bytes'] / 2**30:.0f} GiB, Python "
        f"{machine['python']}. Where the load was above the number of cores, others used the machine: compare "
        "processor "
        "seconds and ratios then."
    )
    yield ""
    yield "| size | part | date | commit | load before and after |"
    yield "|---|---|---|---|---|"
    for found in results:
        for part, about in found["measured"].items():
            load = ", ".join(f"{one:g}" for one in about["load"])
            yield f"| {found['size']} | {part} | {about['date']} | {about['commit']} | {load} |"
    yield ""
    yield from _stages(largest)
    yield from _growth(results)
    yield from _storage(results)
    yield from _dlt(results)
    yield from _floor(results)
    yield from _peers(results)
    yield from _pages(results)
    yield from _lanes(results)


def _stages(found: Found) -> Iterator[str]:
    rows = stages(found)
    if not rows:
        return
    yield f"### Stage by stage, {found['size']}"
    yield ""
    yield (
        "The layers of a build are one process, in which dbt builds two models at a time: a layer's figures are "
        "near, "
        "their sum is exact. The disk of a layer is that of its tables."
    )
    yield ""
    yield "| stage | seconds | processor seconds | per million lines | peak memory, MB | disk, MB | per million lines |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for row in rows:
        millions = lines_of(found, row["stage"]) / 1e6
        disk = row["disk_bytes"]
        yield (
            f"| {row.get('note', row['stage'])} | {row['seconds']:.1f} | {row['processor_seconds']:.1f} | "
            f"{row['processor_seconds'] / millions:.1f} | {row['peak_bytes'] / MEGABYTE:,.0f} | "
            + (" | |" if disk is None else f"{disk / MEGABYTE:,.0f} | {disk / MEGABYTE / millions:,.0f} |")
        )
    yield ""
    if "matching" in found:
        matching = found["matching"]
        differing = ", ".join(matching["marts_that_differ"]) or "none"
        yield (
            f"{matching['transaction_lines']:,} transaction lines of {matching['orders']:,} orders "
            f"({matching['sellers']} sellers), {matching['cold']['models']} models and {matching['cold']['tests']} "
            "tests "
            "of rows; parsing the project, once per version of it, takes "
            f"{matching['parse']['processor_seconds']:.1f} "
            f"processor seconds more. Marts that differ after the change from a build from nothing: {differing}."
        )
        yield ""
        yield (
            "Slowest: "
            + ", ".join(
                f"`{name.rpartition(' ')[2]}` {seconds:.1f} s"
                for name, seconds in list(matching["cold"]["slowest"].items())[:8]
            )
            + "."
        )
        yield ""


def _growth(results: Sequence[Found]) -> Iterator[str]:
    sized = [found for found in results if "matching" in found or "ingest" in found]
    if not sized:
        return
    yield "### Growth: processor seconds per million lines"
    yield ""
    yield "| stage | " + " | ".join(str(found["size"]) for found in sized) + " |"
    yield "|---|" + "---:|" * len(sized)
    by_size = [{row["stage"]: row["processor_seconds"] for row in stages(found)} for found in sized]
    for stage in dict.fromkeys(stage for rows in by_size for stage in rows):
        shown = (
            f"{rows[stage] / (lines_of(found, stage) / 1e6):.1f}" if stage in rows else ""
            for found, rows in zip(sized, by_size, strict=True)
        )
        yield f"| {stage} | " + " | ".join(shown) + " |"
    yield ""
    yield "![Processor seconds per million lines](images/benchmarks/growth.svg)"
    yield ""


def _storage(results: Sequence[Found]) -> Iterator[str]:
    yield "### Disk per million lines, MB"
    yield ""
    yield "| | " + " | ".join(str(found["size"]) for found in results) + " |"
    yield "|---|" + "---:|" * len(results)
    for label, part, size in (
        ("evidence", "ingest", lambda found: found["ingest"]["tieout"][0]["evidence_bytes"]),
        ("manifest of the evidence", "ingest", lambda found: found["ingest"]["tieout"][0]["manifest_bytes"]),
        ("raw, read over HTTP (orders and transaction lines)", "ingest", _raw_bytes),
        ("raw, with the books", "matching", lambda found: found["matching"]["raw_bytes"]),
        ("the warehouse with it", "matching", lambda found: found["matching"]["warehouse_bytes"]),
        ("the published file", "matching", lambda found: found["matching"]["publish"]["published_bytes"]),
        ("Parquet", "matching", lambda found: found["matching"]["publish"]["parquet_bytes"]),
    ):
        stage = "reading" if part == "ingest" else "all"
        values = [
            f"{size(found) / MEGABYTE / (lines_of(found, stage) / 1e6):,.0f}" if part in found else ""
            for found in results
        ]
        yield f"| {label} | " + " | ".join(values) + " |"
    yield ""


def _raw_bytes(found: Found) -> int:
    return int(found["ingest"]["tieout"][0]["warehouse_bytes"])


def _dlt(results: Sequence[Found]) -> Iterator[str]:
    sized = [found for found in results if "ingest" in found]
    if not sized:
        return
    yield "### Reading orders and transaction lines, beside dlt"
    yield ""
    yield "| size | | records a second | seconds | processor seconds | peak memory, MB | sum of the amounts |"
    yield "|---|---|---:|---:|---:|---:|---:|"
    for found in sized:
        part = found["ingest"]
        server = part["server"]
        rate = f"{server['records_per_second']:,.0f} | {server['seconds']:.1f}"
        yield f"| {found['size']} | the server alone | {rate} | | | |"
        own = [("Tieout", run) for run in part["tieout"]]
        peers = [(f"dlt {run['version']}, {kind}", run) for kind, runs in part["dlt"].items() for run in runs]
        for name, run in (*own, *peers):
            yield (
                f"| {found['size']} | {name} | {run['records_per_second']:,.0f} | {run['seconds']:.1f} | "
                f"{run['processor_seconds']:.1f} | {run['peak_bytes'] / MEGABYTE:,.0f} | {run['sum_of_amounts']} |"
            )
    yield ""
    for found in sized:
        if "ratio_of_rates" in found["ingest"]:
            part = found["ingest"]
            yield (
                f"{found['size']}: {part['ratio_of_rates']:.1f} times dlt's rate, with 1 / "
                f"{part['ratio_of_processor_seconds']:.1f} of its processor seconds and {part['ratio_of_memory']:.2f} "
                "of its memory."
            )
            yield ""


def _floor(results: Sequence[Found]) -> Iterator[str]:
    sized = [found for found in results if "reconciling" in found]
    if not sized:
        return
    yield "### The floor: the same reconciliation by a plain DuckDB script"
    yield ""
    yield (
        "`benchmarks/floor.sql` answers eight questions of the many that the marts answer, from the same raw tables: "
        "each order line's goods, shipping and commission, refunds, pay-outs, orders in the ERP, what the journals "
        "moved. "
        "It must count and sum to the penny what the marts do, or there are no figures. What it leaves out is in its "
        "first lines; a ratio of one is not to be had."
    )
    yield ""
    yield (
        "| size | floor, seconds | processor seconds | peak memory, MB | all models and tests, times the floor | "
        "times its processor seconds |"
    )
    yield "|---|---:|---:|---:|---:|---:|"
    for found in sized:
        floor, cold = found["reconciling"]["floor"], found["matching"]["cold"]
        yield (
            f"| {found['size']} | {floor['seconds']:.1f} | {floor['processor_seconds']:.1f} | "
            f"{floor['peak_bytes'] / MEGABYTE:,.0f} | {cold['seconds'] / floor['seconds']:.1f} | "
            f"{cold['processor_seconds'] / floor['processor_seconds']:.1f} |"
        )
    yield ""
    yield "The aim is at most 10 times."
    yield ""
    answers = sized[-1]["reconciling"]["floor"]["answers"]
    yield f"What both say at {sized[-1]['size']}:"
    yield ""
    yield "| question | status | found | expected | actual |"
    yield "|---|---|---:|---:|---:|"
    for question, status, count, expected, actual in answers:
        yield f"| {question} | {status} | {count:,} | {expected} | {actual} |"
    yield ""


def _peers(results: Sequence[Found]) -> Iterator[str]:
    sized = [found for found in results if "peers" in found.get("reconciling", {})]
    if not sized:
        return
    yield "### One comparison, by other tools"
    yield ""
    yield (
        "What the marketplace settled for an order against what the order's invoice put on the debtors' account: "
        "one of "
        "the comparisons that the marts hold, from two Parquet files with whole pennies, by pandas, Polars, "
        "datacompy (on "
        "Polars) and DuckDB (`benchmarks/peers/compare.py`). All answer the same, or there are no figures."
    )
    yield ""
    tools = list(sized[-1]["reconciling"]["peers"])
    yield "| size | lines, postings | | seconds | processor seconds | peak memory, MB |"
    yield "|---|---:|---|---:|---:|---:|"
    for found in sized:
        part = found["reconciling"]
        for tool in tools:
            run = part["peers"][tool]
            yield (
                f"| {found['size']} | {part['compared_lines']:,}, {part['compared_postings']:,} | "
                f"{tool} {run['version']} | {run['seconds']:.1f} | {run['processor_seconds']:.1f} | "
                f"{run['peak_bytes'] / MEGABYTE:,.0f} |"
            )
    yield ""
    yield "![Processor seconds of one comparison](images/benchmarks/peers.svg)"
    yield ""


def _pages(results: Sequence[Found]) -> Iterator[str]:
    sized = [found for found in results if "pages" in found]
    if not sized:
        return
    yield "### Pages of the web app"
    yield ""
    yield (
        "Seconds from the request to the last byte, the first time and the middle of the next four; the aim is under 2."
    )
    yield ""
    yield "| page | " + " | ".join(f"{found['size']}" for found in sized) + " |"
    yield "|---|" + "---:|" * len(sized)
    by_size = [{row["page"]: row for row in found["pages"]["pages"]} for found in sized]
    for page in by_size[-1]:
        shown = (f"{rows[page]['first_seconds']:.2f}, {rows[page]['seconds']:.2f}" for rows in by_size if page in rows)
        yield f"| {page} | " + " | ".join(shown) + " |"
    yield ""


def _lanes(results: Sequence[Found]) -> Iterator[str]:
    idle = [found for found in results if "idle" in found]
    if idle:
        run = idle[-1]["idle"]
        yield "### A lane with nothing to do"
        yield ""
        yield "| | processor seconds | seconds |"
        yield "|---|---:|---:|"
        for label, one in (
            (f"Dagster's sensor: {run['look']['feeds']} feeds read, nothing new, no run", run["look"]),
            ("`tieout run orders` as a process of its own", run["process"]),
            ("`tieout status`", run["status"]),
        ):
            yield f"| {label} | {one['processor_seconds']:.2f} | {one['seconds']:.2f} |"
        yield ""
        yield "The aim is under 1 s of each."
        yield ""
    reacted = [found for found in results if "reaction" in found]
    if reacted:
        run = reacted[-1]["reaction"]["sage200"]
        yield "### How long a lane takes to react"
        yield ""
        yield (
            f"{run['latency']['rate']:,.0f} an hour for a minute, {run['latency']['pause_seconds']:g} s between two "
            "runs of "
            "the lane, in seconds. The marketplace lets orders be read once a minute."
        )
        yield ""
        yield "| | p50 | p95 | longest |"
        yield "|---|---:|---:|---:|"
        for label, name in (("order to acceptance", "latency"), ("despatch to confirmation", "dispatch")):
            waits = run[name]["seconds"]
            yield f"| {label} | {waits['p50']:.0f} | {waits['p95']:.0f} | {waits['longest']:.0f} |"
        yield ""


def marked(page: str, part: str, digests: Mapping[str, str]) -> str:
    """The page with another generated part, and the digests of what it was made from. Raises ValueError without "
    "marks."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page does not hold {BEGIN} and {END}")
    made_from = "\n".join(f"<!-- sha256 of {name}: {digest} -->" for name, digest in sorted(digests.items()))
    return f"{before}{BEGIN}\n{made_from}\n\n{part.rstrip()}\n{END}{after}"


def read(folder: Path) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The results of a folder in the order of their sizes, and the digest of each file."""
    files = sorted(folder.glob("bench-*.json"))
    found = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    digests = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    return sorted(found, key=lambda one: int(one["lines"])), digests


def publish(results: Path) -> None:
    """Copy the figures into docs/measurements and write pages and charts from them."""
    from benchmarks.suite_charts import write_charts

    MEASUREMENTS.mkdir(exist_ok=True)
    for file in results.glob("bench-*.json"):
        (MEASUREMENTS / file.name).write_bytes(file.read_bytes())
    found, digests = read(MEASUREMENTS)
    if not found:
        raise SystemExit(f"there are no figures in {results}: make bench SIZE=100k")
    PAGE.write_text(marked(PAGE.read_text(encoding="utf-8"), text(found), digests), encoding="utf-8")
    page = DOCS / "capacity.md"
    page.write_text(marked(page.read_text(encoding="utf-8"), capacity.text(found), digests), encoding="utf-8")
    write_charts(found, DOCS / "images" / "benchmarks")


if __name__ == "__main__":
    publish(ROOT / "benchmarks" / "results")
