"""The dependency rules of docs/architecture.md, enforced on the source text and on dbt's own files.

A rule that is not tested is a wish: each test below names the rule, and fails with the file and line that breaks it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT / "dbt_project" / "models"

FORBIDDEN_IMPORTS = {
    "connectors": {"dagster", "dagster_dbt", "dbt", "duckdb", "orchestration", "sandbox", "app", "os.environ"},
    "orchestration": {"sandbox", "app"},
    # The web app sees published marts and the outbox, never a vendor, the warehouse or raw data.
    "app": {
        "connectors",
        "sandbox",
        "dbt",
        "dagster",
        "dagster_dbt",
        "duckdb",
        "orchestration.defs",
        "orchestration.lib.landing",
        "orchestration.lib.loading",
        "orchestration.lib.state",
        "orchestration.lib.warehouse",
        "orchestration.outbox.database",
        "orchestration.outbox.delivering",
        "orchestration.outbox.schema",
    },
    "sandbox": {"connectors", "orchestration", "dbt", "dagster", "dagster_dbt", "app"},
    "orchestration/lib": {"orchestration.defs", "orchestration.cli"},
}
VENDOR_WORDS = re.compile(r"\b(mirakl|sage200|sage|netsuite)\b", re.IGNORECASE)


def python_files(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.lineno, node.module


def sql_models() -> list[Path]:
    return sorted(MODELS.rglob("*.sql"))


def references(path: Path, function: str) -> list[str]:
    return re.findall(rf"\b{function}\(\s*'([^']+)'", path.read_text())


def without_comments(sql: str) -> str:
    return re.sub(r"--[^\n]*|/\*.*?\*/|\{#.*?#\}", "", sql, flags=re.DOTALL)


@pytest.mark.parametrize("room", sorted(FORBIDDEN_IMPORTS))
def test_a_room_imports_only_what_it_may_know(room: str) -> None:
    forbidden = FORBIDDEN_IMPORTS[room]
    broken = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in python_files(room)
        for line, name in imports(path)
        if any(name == f or name.startswith(f + ".") for f in forbidden)
    ]
    assert python_files(room), f"{room} has no Python files: the test would prove nothing"
    assert not broken, "\n".join(broken)


def test_connectors_read_no_environment_and_no_clock_at_import() -> None:
    broken = []
    for path in python_files("connectors"):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.getenv"}:
                broken.append(f"{path.relative_to(ROOT)}:{node.lineno} reads the environment")
        for node in tree.body:
            for call in ast.walk(node) if isinstance(node, ast.Assign | ast.AnnAssign | ast.Expr) else ():
                if isinstance(call, ast.Call) and ast.unparse(call.func).endswith((".now", ".utcnow", "time.time")):
                    broken.append(f"{path.relative_to(ROOT)}:{call.lineno} asks for the time at import")
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("room", ["connectors", "orchestration", "dbt_project"])
def test_nothing_in_the_pipeline_knows_that_a_sandbox_exists(room: str) -> None:
    files = [
        p for p in (ROOT / room).rglob("*") if p.suffix in {".py", ".sql", ".yml", ".csv"} and "target" not in p.parts
    ]
    broken = [str(p.relative_to(ROOT)) for p in files if re.search(r"\bsandbox\b", p.read_text(), re.IGNORECASE)]
    assert files
    assert not broken, broken


def test_sources_are_read_only_in_staging() -> None:
    broken = [
        str(p.relative_to(MODELS))
        for p in sql_models()
        if references(p, "source") and p.relative_to(MODELS).parts[0] != "staging"
    ]
    assert not broken, broken


def test_marts_never_reach_back_to_vendor_staging() -> None:
    broken = [
        f"{p.relative_to(MODELS)} refs {name}"
        for p in sql_models()
        if p.relative_to(MODELS).parts[0] in {"marts", "matching", "accounting", "actions"}
        for name in references(p, "ref")
        if name.startswith("stg_") and not name.startswith("stg_tieout__")
    ]
    assert not broken, "\n".join(broken)


def test_vendor_names_stop_at_the_ledger_layer() -> None:
    """Matching, accounting and marts speak of orders, cycles and postings; a vendor's name there is a leak."""
    broken = []
    for path in sql_models():
        if path.relative_to(MODELS).parts[0] in {"staging", "ledger"}:
            continue
        for number, line in enumerate(without_comments(path.read_text()).splitlines(), start=1):
            if VENDOR_WORDS.search(line):
                broken.append(f"{path.relative_to(MODELS)}:{number}: {line.strip()}")
    assert not broken, "\n".join(broken)


def test_every_model_has_a_description_and_every_mart_a_contract() -> None:
    documented: dict[str, dict[str, object]] = {}
    for path in MODELS.rglob("*.yml"):
        for model in (yaml.safe_load(path.read_text()) or {}).get("models", []):
            documented[model["name"]] = model
    missing = [p.stem for p in sql_models() if not str(documented.get(p.stem, {}).get("description", "")).strip()]
    assert not missing, f"models without a description: {missing}"
    marts = [p.stem for p in sql_models() if p.relative_to(MODELS).parts[0] == "marts"]
    folder_contract = "+contract" in (ROOT / "dbt_project" / "dbt_project.yml").read_text()
    without = [
        name
        for name in marts
        if not folder_contract and not (documented[name].get("config", {}) or {}).get("contract", {}).get("enforced")  # type: ignore[union-attr]
    ]
    assert marts
    assert not without, f"marts without an enforced contract: {without}"


def test_models_keep_to_the_sql_that_both_engines_share() -> None:
    banned = {
        "qualify": r"\bqualify\b",
        "group by all": r"\bgroup\s+by\s+all\b",
        "exclude": r"\*\s*exclude\b",
        "recursive": r"\bwith\s+recursive\b",
        "asof join": r"\basof\b",
        "the clock": r"\b(current_date|current_timestamp|now\(\)|today\(\))",
        "float types": r"\b(double|float|real)\b",
    }
    broken = [
        f"{p.relative_to(MODELS)} uses {what}"
        for p in sql_models()
        for what, pattern in banned.items()
        if re.search(pattern, without_comments(p.read_text()), re.IGNORECASE)
    ]
    assert not broken, "\n".join(broken)


def test_money_is_never_a_binary_float_in_the_pipeline() -> None:
    allowed = re.compile(
        r"seconds|timeout|sleep|latency|ratio|elapsed|percent|interval|delay|memory|mtime|wait|rate_limit|bytes"
    )
    broken = []
    for room in ("app", "connectors", "orchestration"):
        for path in python_files(room):
            for number, line in enumerate(path.read_text().splitlines(), start=1):
                if re.search(r"\bfloat\(", line) and not allowed.search(line):
                    broken.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    assert not broken, "\n".join(broken)
