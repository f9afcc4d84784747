"""Copies the published marts out for tools that do not speak DuckDB, with their meaning and where they come from."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from orchestration.exports.metrics import published_metrics
from orchestration.lib.files import replace_file
from orchestration.lib.publish import STORAGE_VERSION
from orchestration.lib.warehouse import quote

FORMATS = ("parquet", "csv", "duckdb", "xlsx")
XLSX_ROWS = 1_048_575
"""What a sheet holds below its heading."""


@dataclass
class Exported:
    files: list[Path] = field(default_factory=list)
    marts: list[str] = field(default_factory=list)
    cut: dict[str, int] = field(default_factory=dict)
    """Marts of which a workbook holds the first rows only, with how many there are."""


def export(
    published: Path, folder: Path, *, formats: Sequence[str], marts: Sequence[str] = (), manifest: Mapping[str, Any]
) -> Exported:
    """Write the marts (all, or those named) in each format, `schema.json`, `lineage.csv` and `metrics.json`.

    `manifest` is dbt's. Raises KeyError for a mart that is not published.
    """
    done = Exported()
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute(f"attach {_text(published)} as source (read_only)")
        there = [
            str(row[0])
            for row in connection.execute(
                "select table_name from duckdb_tables() "
                "where database_name = 'source' and schema_name = 'marts' order by 1"
            ).fetchall()
        ]
        if missing := [name for name in marts if name not in there]:
            raise KeyError(", ".join(missing))
        done.marts = [name for name in there if not marts or name in marts]
        for kind in ("parquet", "csv"):
            if kind in formats:
                for name in done.marts:
                    path = folder / kind / f"{name}.{kind}"
                    path.parent.mkdir(exist_ok=True)
                    options = "format parquet, compression zstd" if kind == "parquet" else "format csv, header"
                    connection.execute(f"copy source.marts.{quote(name)} to {_text(path)} ({options})")
                    done.files.append(path)
        if "duckdb" in formats:
            done.files.append(_database(connection, folder / "tieout.duckdb", done.marts))
        if "xlsx" in formats:
            done.files.append(_workbook(connection, folder / "tieout.xlsx", done))
        columns = connection.execute(
            "select table_name, column_name, data_type from duckdb_columns() "
            "where database_name = 'source' and schema_name = 'marts' order by table_name, column_index"
        ).fetchall()
    done.files += _meaning(folder, done.marts, [(str(a), str(b), str(c)) for a, b, c in columns], manifest)
    return done


def _database(connection: duckdb.DuckDBPyConnection, path: Path, marts: Sequence[str]) -> Path:
    """The marts, and a view per metric with all its dimensions in schema `metrics`."""
    path.unlink(missing_ok=True)
    connection.execute(f"attach {_text(path)} as target (storage_version '{STORAGE_VERSION}')")
    connection.execute("create schema target.marts")
    connection.execute("create schema target.metrics")
    for name in marts:
        connection.execute(f"create table target.marts.{quote(name)} as from source.marts.{quote(name)}")
    connection.execute("use target.marts")
    for metric in published_metrics(marts):
        connection.execute(f"create view target.metrics.{quote(metric.name)} as {metric.query()}")
    connection.execute("use memory.main")
    connection.execute("detach target")
    return path


def _workbook(connection: duckdb.DuckDBPyConnection, path: Path, done: Exported) -> Path:
    """A sheet per mart. Amounts are numbers, for a spreadsheet's own arithmetic; the other formats have them exactly.
    Texts are texts, whatever they begin with.
    """
    from datetime import date, datetime
    from decimal import Decimal

    import xlsxwriter

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        bold, day, moment = (
            book.add_format({"bold": True}),
            book.add_format({"num_format": "yyyy-mm-dd"}),
            book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        )
        for name in done.marts:
            sheet = book.add_worksheet(name[:31])
            result = connection.execute(f"from source.marts.{quote(name)}")
            heads = [str(column[0]) for column in result.description or ()]
            sheet.write_row(0, 0, heads, bold)
            sheet.freeze_panes(1, 0)
            number = 0
            while rows := result.fetchmany(10_000):
                for row in rows:
                    number += 1
                    if number > XLSX_ROWS:
                        continue
                    for column, value in enumerate(row):
                        if isinstance(value, bool):
                            sheet.write_boolean(number, column, value)
                        elif isinstance(value, int | Decimal | float):
                            sheet.write_number(number, column, value)
                        elif isinstance(value, datetime):
                            sheet.write_datetime(number, column, value, moment)
                        elif isinstance(value, date):
                            sheet.write_datetime(number, column, value, day)
                        elif value is not None:
                            sheet.write_string(number, column, str(value))
            if number > XLSX_ROWS:
                done.cut[name] = number
    return path


def _meaning(
    folder: Path, marts: Sequence[str], columns: Sequence[tuple[str, str, str]], manifest: Mapping[str, Any]
) -> list[Path]:
    nodes = {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] in ("model", "seed")}
    schema = [
        {
            "mart": name,
            "description": " ".join(str(nodes.get(name, {}).get("description", "")).split()),
            "columns": [
                {
                    "name": column,
                    "type": kind,
                    "description": " ".join(
                        str(nodes.get(name, {}).get("columns", {}).get(column, {}).get("description", "")).split()
                    ),
                }
                for mart, column, kind in columns
                if mart == name
            ],
        }
        for name in marts
    ]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("mart", "depends_on", "kind", "steps"))
    for name in marts:
        writer.writerows(lineage(manifest, name))
    written = {
        "schema.json": json.dumps(schema, indent=1, ensure_ascii=False),
        "lineage.csv": text.getvalue(),
        "metrics.json": json.dumps(
            [one.model_dump() | {"sql": one.query()} for one in published_metrics(marts)], indent=1, ensure_ascii=False
        ),
    }
    for file_name, content in written.items():
        replace_file(folder / file_name, content.encode())
    return [folder / file_name for file_name in written]


def lineage(manifest: Mapping[str, Any], mart: str) -> list[tuple[str, str, str, int]]:
    """Everything that a mart is made of: (mart, what, kind, steps away), nearest first."""
    everything: dict[str, Any] = {**manifest["nodes"], **manifest["sources"]}
    start = next((key for key, node in everything.items() if node["name"] == mart and key.startswith("model.")), None)
    found: dict[str, int] = {}
    edge, step = [start] if start else [], 0
    while edge:
        step += 1
        parents = {parent for key in edge for parent in everything[key].get("depends_on", {}).get("nodes", ())}
        edge = sorted(key for key in parents if key in everything and key not in found)
        found |= dict.fromkeys(edge, step)
    return [
        (mart, everything[key]["name"], str(everything[key]["resource_type"]), steps)
        for key, steps in sorted(found.items(), key=lambda one: (one[1], one[0]))
    ]


def dbt_site(manifest: Path, path: Path) -> Path:
    """dbt's documentation of every model with its lineage graph, as one page that needs no server and no warehouse."""
    from dbt.task.docs import DOCS_INDEX_FILE_PATH

    page = Path(DOCS_INDEX_FILE_PATH).read_text(encoding="utf-8")
    catalog = json.dumps({"metadata": {}, "nodes": {}, "sources": {}, "errors": None})
    page = page.replace('"MANIFEST.JSON INLINE DATA"', manifest.read_text(encoding="utf-8").replace("</", "<\\/"))
    replace_file(path, page.replace('"CATALOG.JSON INLINE DATA"', catalog).encode())
    return path


def _text(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
