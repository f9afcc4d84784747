"""A small published file with every mart of the contracts: the rows of tests/cli/marts.py, and what is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import yaml

from tests.cli.marts import ROWS

MODELS = Path(__file__).resolve().parents[2] / "dbt_project" / "models" / "marts"
DEFAULTS = {"marketplace_code": "BRICO", "entity_code": "UKTRADE"}
TITLES = {"exceptions": {"title": "A title"}}


@cache
def schemas() -> dict[str, dict[str, str]]:
    """Columns and types of every mart, from its contract."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted(MODELS.rglob("*.yml")):
        for model in (yaml.safe_load(path.read_text()) or {}).get("models", []):
            found[model["name"]] = {one["name"]: one["data_type"] for one in model["columns"]}
    return found


def build(path: Path, changes: Mapping[str, Sequence[Mapping[str, Any]]] | None = None) -> Path:
    """Write the published file. `changes` replaces the rows of whole marts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"ATTACH '{temporary}' AS published (STORAGE_VERSION 'v1.4.0')")
        connection.execute("CREATE SCHEMA published.marts")
        for mart, columns in schemas().items():
            rows = (changes or {}).get(mart, ROWS.get(mart, ()))
            texts = [_texts(DEFAULTS | TITLES.get(mart, {}) | dict(row), columns) for row in rows]
            source = pa.Table.from_pylist(texts, schema=pa.schema([(name, pa.string()) for name in columns]))
            connection.register("source", source)
            casts = ", ".join(f'"{name}"::{kind} AS "{name}"' for name, kind in columns.items())
            connection.execute(f"CREATE TABLE published.marts.{mart} AS SELECT {casts} FROM source")
            connection.unregister("source")
    temporary.replace(path)
    return path


def _texts(row: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, str | None]:
    return {name: None if row.get(name) is None else str(row[name]) for name in columns}
