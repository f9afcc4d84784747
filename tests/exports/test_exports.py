"""What leaves for other tools is what is published, and every figure has one definition."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from orchestration.exports.export import dbt_site, export, lineage
from orchestration.exports.metrics import Metric, metric, metrics
from tests.mart_contracts import columns, mart_names

ROOT = Path(__file__).resolve().parents[2]
MANIFEST: dict[str, Any] = {
    "nodes": {
        "model.tieout.exceptions": {
            "name": "exceptions", "resource_type": "model", "description": "One root\n exception.",
            "columns": {"exception_id": {"description": "Its id."}},
            "depends_on": {"nodes": ["model.tieout.findings"]},
        },
        "model.tieout.findings": {
            "name": "findings", "resource_type": "model", "depends_on": {"nodes": ["source.tieout.raw.lines"]},
        },
    },
    "sources": {"source.tieout.raw.lines": {"name": "lines", "resource_type": "source"}},
}  # fmt: skip


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every mart with its contract's columns; a few rows in those that the tests look at."""
    path = tmp_path_factory.mktemp("published") / "tieout.duckdb"
    with duckdb.connect(str(path), config={"storage_compatibility_version": "v1.4.0"}) as connection:
        connection.execute("create schema marts")
        for mart in mart_names():
            connection.execute(f"create table marts.{mart} ({columns(mart)})")
        connection.execute(
            """
            insert into marts.exceptions
                (exception_id, status, owner_team, severity, amount_at_risk, currency_code, summary)
            values ('a', 'OPEN', 'FINANCE', 'S1', 10.10, 'GBP', '=1+1'),
                ('b', 'OPEN', 'FINANCE', 'S1', 5.00, 'EUR', 'x'),
                ('c', 'RESOLVED', 'FINANCE', 'S1', 99.00, 'GBP', 'x')
            """
        )
        connection.execute(
            """
            insert into marts.channel_profitability
                (basis, marketplace_code, period, currency_code, net_sales_amount, commission_amount, order_fee_amount,
                subscription_amount)
            values ('PERIOD', 'M', '2026-06', 'GBP', 100.00, -12.00, -1.00, -2.00),
                ('COHORT', 'M', '2026-06', 'GBP', 900.00, -1.00, 0.00, 0.00)
            """
        )
        connection.execute(
            "insert into marts.settlement_bridge (billing_cycle_id, step_no, step_name, amount) "
            "values ('C', 1, 'Sales', 3.00)"
        )
    return path


@pytest.fixture
def marts(published: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(published), read_only=True) as connection:
        yield connection


@pytest.mark.parametrize("one", metrics(), ids=lambda one: one.name)
def test_every_metric_is_a_query_on_the_contracts(one: Metric, marts: duckdb.DuckDBPyConnection) -> None:
    assert one.title
    assert one.meaning.endswith(".")
    for by in (None, [], *[[name] for name in one.dimensions]):
        marts.execute(one.query(by)).fetchall()


def test_no_two_currencies_are_added_up(marts: duckdb.DuckDBPyConnection) -> None:
    query = metric("amount_at_risk").query(["owner_team"])
    rows = [(team, currency, str(value)) for team, currency, value in marts.execute(query).fetchall()]
    assert rows == [("FINANCE", "EUR", "5.00"), ("FINANCE", "GBP", "10.10")]
    assert {one.name for one in metrics() if one.unit == "money" and "currency_code" not in one.dimensions} == set()


def test_the_take_rate_is_the_marts_own(marts: duckdb.DuckDBPyConnection) -> None:
    (row,) = marts.execute(metric("take_rate").query(["marketplace_code"])).fetchall()
    assert (row[0], float(row[-1])) == ("M", 0.15)


def test_a_dimension_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="open_exceptions has no dimension colour"):
        metric("open_exceptions").query(["colour"])


def test_every_format_holds_what_is_published(
    published: Path, marts: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    done = export(published, tmp_path, formats=("parquet", "csv", "duckdb", "xlsx"), manifest=MANIFEST)
    assert done.marts == mart_names()
    expected = marts.execute("from marts.exceptions order by exception_id").fetchall()
    with duckdb.connect(str(tmp_path / "tieout.duckdb"), read_only=True) as copied:
        assert copied.execute("from marts.exceptions order by exception_id").fetchall() == expected
        views = {
            str(row[0]) for row in copied.execute("select view_name from duckdb_views() where not internal").fetchall()
        }
        assert views == {one.name for one in metrics()}
        assert copied.execute("select sum(value) from metrics.open_exceptions").fetchone() == (2,)
        assert copied.execute("select * from metrics.received_amount").fetchall() == []
    parquet = f"from '{tmp_path}/parquet/exceptions.parquet' order by exception_id"
    assert duckdb.sql(parquet).fetchall() == expected
    # Power Query reads Parquet as Arrow does, without DuckDB.
    arrow = pq.read_table(tmp_path / "parquet" / "exceptions.parquet").sort_by("exception_id")
    assert [str(one) for one in arrow["amount_at_risk"].to_pylist()] == ["10.10", "5.00", "99.00"]
    assert (tmp_path / "csv" / "exceptions.csv").read_text().count("\n") == 4
    with zipfile.ZipFile(tmp_path / "tieout.xlsx") as book:
        sheets = "".join(book.read(name).decode() for name in book.namelist() if "worksheets/" in name)
    assert "=1+1" in sheets
    assert "<f>" not in sheets, "a text never becomes a formula"
    (mart,) = [one for one in json.loads((tmp_path / "schema.json").read_text()) if one["mart"] == "exceptions"]
    assert mart["description"] == "One root exception."
    assert mart["columns"][0] == {"name": "exception_id", "type": "VARCHAR", "description": "Its id."}
    assert "exceptions,findings,model,1\nexceptions,lines,source,2\n" in (tmp_path / "lineage.csv").read_text()
    assert {one["name"] for one in json.loads((tmp_path / "metrics.json").read_text())} == views


def test_only_what_was_asked_for_and_nothing_unknown(published: Path, tmp_path: Path) -> None:
    done = export(published, tmp_path, formats=("csv",), marts=("exceptions",), manifest=MANIFEST)
    assert [path.name for path in done.files] == ["exceptions.csv", "schema.json", "lineage.csv", "metrics.json"]
    with pytest.raises(KeyError, match="nonsense"):
        export(published, tmp_path, formats=("csv",), marts=("nonsense",), manifest=MANIFEST)
    assert lineage(MANIFEST, "nonsense") == []


def test_the_page_of_the_models_needs_no_server(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps(MANIFEST | {"note": "</script>"}))
    text = dbt_site(manifest, tmp_path / "lineage.html").read_text()
    assert "INLINE DATA" not in text
    assert '"note": "<\\/script>"' in text


def test_the_notebook_runs_on_an_export(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    export(published, tmp_path / "exported", formats=("parquet", "duckdb"), manifest=MANIFEST)
    monkeypatch.chdir(tmp_path)
    notebook = json.loads((ROOT / "examples" / "bi" / "reconciliation.ipynb").read_text())
    names: dict[str, Any] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), "notebook", "exec"), names)  # noqa: S102  (our own example)
    names["exported"].close()
    assert capsys.readouterr().out.splitlines() == ["FINANCE S1 EUR 5.00", "FINANCE S1 GBP 10.10", "1 Sales 3.00 None"]
