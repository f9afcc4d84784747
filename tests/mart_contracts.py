"""The marts' columns as their contracts have them, for tables made by hand."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

MARTS = Path(__file__).resolve().parents[1] / "dbt_project" / "models" / "marts"


def mart_names() -> list[str]:
    return sorted(path.stem for path in MARTS.rglob("*.sql"))


@cache
def columns(mart: str) -> str:
    """`name type, …` as `create table` takes it."""
    (path,) = MARTS.rglob(f"{mart}.yml")
    (model,) = [one for one in yaml.safe_load(path.read_text())["models"] if one["name"] == mart]
    return ", ".join(f"{column['name']} {column['data_type']}" for column in model["columns"])
