"""Building only what changed gives the same marts as building everything, and notices every kind of change."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgpack
import pytest

from connectors.feeds import feed_spec
from orchestration.lib import building, dbt, loading
from orchestration.lib.landing import Landing
from orchestration.lib.publish import publish
from orchestration.lib.settings import Settings
from orchestration.lib.state import State
from orchestration.lib.warehouse import connect
from tests.orchestration.conftest import rewrite
from tests.orchestration.vendor import Vendor, line

EVERYTHING = {"stg_lines", "totals", "exceptions", "quarantined", "act_totals"}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first test leaves its data folder for the others: each build costs some seconds."""
    return tmp_path_factory.mktemp("built") / "data"


@pytest.fixture
def project(settings: Settings, tmp_path: Path, template: Path) -> Settings:
    """A project of its own with two lines loaded and everything built."""
    folder = tmp_path / "project"
    shutil.copytree(settings.dbt_project_dir, folder)
    made = settings.model_copy(update={"dbt_project_dir": folder})
    if not template.exists():
        load(made, 1, 2)
        assert built(made) == EVERYTHING
        shutil.copytree(made.data_dir, template, symlinks=True)
    else:
        shutil.copytree(template, made.data_dir, symlinks=True)
    return made


def load(settings: Settings, *numbers: int) -> None:
    vendor = Vendor(records={"transaction_lines": [line(number) for number in numbers]})
    with State(settings.state_path) as state:
        Landing(settings, state, "run").land(
            feed_spec("mirakl", "transaction_lines"), "BRICO", vendor, overlap=timedelta(hours=1)
        )
    loading.load(settings)


def built(settings: Settings) -> set[str]:
    result = building.build(settings)
    assert result.ok, result
    return {node.name for node in result.nodes if node.resource_type == "model"}


def test_nothing_new_builds_nothing(project: Settings) -> None:
    assert building.build(project).nodes == ()


def test_new_rows_build_what_reads_them_and_its_tests(project: Settings) -> None:
    load(project, 3)
    result = building.build(project)
    names = {node.name for node in result.nodes}
    assert names >= {"totals", "exceptions", "act_totals", "unique_totals_marketplace_code"}
    assert names.isdisjoint({"quarantined", "stg_lines"}), "a view shows the new rows as it is"
    assert "not_null_stg_lines_id" in names, "which its tests are asked of"
    assert "quarantine_is_mirakl" not in names


def test_views_of_a_table_with_other_columns_are_made_again(project: Settings) -> None:
    with connect(project) as connection:
        connection.execute("alter table raw.mirakl_transaction_lines add column added varchar")
    load(project, 3)
    assert built(project) == {"stg_lines", "totals", "exceptions", "act_totals"}
    with connect(project) as connection:
        ((lines,),) = connection.execute("select count(*) from staging.stg_lines where added is null").fetchall()
    assert lines == 3


def test_views_stand_unless_their_sql_may_be_another() -> None:
    def model(name: str, *parents: str, kind: str = "view", clock: bool = False) -> dict[str, Any]:
        depends_on = {"macros": ["macro.t.as_of"] if clock else [], "nodes": list(parents)}
        config = {"materialized": kind}
        return {"resource_type": "model", "name": name, "raw_code": "", "depends_on": depends_on, "config": config}

    lines, orders = "source.t.raw.lines", "source.t.raw.orders"
    parents = {
        "of_lines": (lines,),
        "of_that": ("model.t.of_lines",),
        "of_orders": (orders,),
        "table": (lines,),
        "of_table": ("model.t.table",),
        "due": (orders,),
    }
    models = {f"model.t.{name}": model(name, *of, clock=name == "due") for name, of in parents.items()}
    models["model.t.table"]["config"]["materialized"] = "table"
    manifest = {
        "sources": {lines: {"name": "lines"}, orders: {"name": "orders"}},
        "macros": {"macro.t.as_of": {"depends_on": {"macros": []}, "macro_sql": "{{ var('as_of') }}"}},
        "nodes": models,
        "child_map": {
            parent: [child for child, node in models.items() if parent in node["depends_on"]["nodes"]]
            for parent in (lines, orders, *models)
        },
    }

    def standing(project: str, **sources: str) -> set[str]:
        before = building.Inputs("p", "08:00", {}, {"lines": "id VARCHAR|1", "orders": "id VARCHAR|1"})
        found = building.standing_views(manifest, before, building.Inputs(project, "09:00", {}, sources))
        return {one.rpartition(".")[2] for one in found}

    grown, same = "id VARCHAR|2", "id VARCHAR|1"
    assert standing("p", lines=grown, orders=same) == {"of_lines", "of_that", "of_orders", "of_table"}
    assert standing("p", lines="id VARCHAR,more VARCHAR|1", orders=same) == {"of_orders", "of_table"}
    assert standing("p", lines="id BIGINT|1", orders=same) == {"of_orders", "of_table"}
    assert standing("p", orders=same) == {"of_orders", "of_table"}
    assert standing("another", lines=same, orders=same) == set()


def test_a_later_clock_builds_what_reads_the_clock(project: Settings) -> None:
    later = project.model_copy(update={"as_of": project.clock.now() + timedelta(hours=1)})
    assert built(later) == {"totals", "exceptions", "act_totals"}


def test_an_edited_configuration_file_builds_its_seed(project: Settings) -> None:
    rewrite(project.config_dir / "tolerances.csv", lambda rows: rows[:-1])
    result = building.build(project)
    assert {node.name for node in result.nodes if node.resource_type == "seed"} == {"tolerances"}


def test_edited_sql_builds_everything(project: Settings) -> None:
    model = project.dbt_project_dir / "models" / "marts" / "quarantined.sql"
    model.write_text(model.read_text() + "having count(*) > 0\n")
    assert built(project) == EVERYTHING


def test_a_project_is_parsed_once_for_all_data_folders(
    project: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = project.model_copy(update={"cache_dir": tmp_path / "cache", "data_dir": tmp_path / "first"})
    dbt.ensure_manifest(first)
    monkeypatch.setattr(dbt, "_parse", lambda settings: pytest.fail("parsed again"))
    second = first.model_copy(update={"data_dir": tmp_path / "second"})
    load(second, 1, 2)
    assert built(second) == EVERYTHING
    left = dbt.ensure_manifest(second)
    assert str(first.root).encode() not in left.read_bytes() + left.with_suffix(".msgpack").read_bytes()


@pytest.mark.parametrize("content", [b"", b"half of an", msgpack.packb({"project": "somewhere else"})])
def test_a_broken_entry_of_the_cache_is_parsed_anew(project: Settings, tmp_path: Path, content: bytes) -> None:
    first = project.model_copy(update={"cache_dir": tmp_path / "cache", "data_dir": tmp_path / "first"})
    expected = dbt.ensure_manifest(first).stem
    (entry,) = first.cache_dir.glob("*.parsed")
    entry.write_bytes(content)
    second = first.model_copy(update={"data_dir": tmp_path / "second"})
    assert dbt.ensure_manifest(second).stem == expected
    assert entry.stat().st_size > 1000


def test_without_a_place_for_the_cache_a_project_is_parsed_all_the_same(project: Settings, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    alone = project.model_copy(update={"cache_dir": tmp_path / "cache", "data_dir": tmp_path / "alone"})
    assert dbt.ensure_manifest(alone).exists()


def test_what_an_older_version_parsed_does_not_stop_a_build(
    project: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = project.model_copy(update={"cache_dir": tmp_path / "cache"})
    left = dbt.target_path(project) / "partial_parse.msgpack"
    left.write_bytes(b"of an older version")
    model = project.dbt_project_dir / "models" / "marts" / "quarantined.sql"
    model.write_text(model.read_text() + "having count(*) > 0\n")
    invoke = dbt._invoke

    def trips(command: list[str], *others: Any) -> dbt.DbtResult:
        if "parse" in command and left.exists():
            return dbt.DbtResult((), "depends on a node which was not found")
        return invoke(command, *others)

    monkeypatch.setattr(dbt, "_invoke", trips)
    assert built(project) == EVERYTHING


def test_another_warehouse_builds_everything(project: Settings) -> None:
    project.warehouse_path.unlink()
    loading.load(project)
    assert built(project) == EVERYTHING


def test_evidence_loaded_anew_builds_everything(project: Settings) -> None:
    loading.reload(project)
    assert built(project) == EVERYTHING


def test_after_a_build_that_was_not_whole_everything_is_built(
    project: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(project, 3)

    def die(*arguments: object, **keywords: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(dbt, "_invoke", die)
        with pytest.raises(KeyboardInterrupt):
            building.build(project)
    assert built(project) == EVERYTHING


def test_after_a_failed_test_everything_is_built_again(project: Settings) -> None:
    load(project, 3)
    claim = project.dbt_project_dir / "tests" / "assert_two_lines.sql"
    claim.parent.mkdir()
    claim.write_text("select * from {{ ref('totals') }} where line_count <> 2")
    assert [node.name for node in building.build(project).failures] == ["assert_two_lines"]
    claim.unlink()
    assert built(project) == EVERYTHING


def test_what_was_built_in_parts_equals_what_is_built_whole(project: Settings) -> None:
    load(project, 3)
    built(project)
    load(project, 4, 5)
    later = project.model_copy(update={"as_of": project.clock.now() + timedelta(hours=1)})
    built(later)
    parts = publish(later)
    (later.dbt_dir / "last_build.json").unlink()
    assert built(later) == EVERYTHING
    assert publish(later).digest == parts.digest


def test_the_clock_is_found_behind_macros_and_a_day_lasts_a_day() -> None:
    macro = {"depends_on": {"macros": []}, "macro_sql": "{{ var('as_of') }}"}
    outer = {"depends_on": {"macros": ["macro.t.as_of"]}, "macro_sql": "{{ as_of() }}"}

    def node(name: str, *macros: str) -> dict[str, Any]:
        depends_on = {"macros": [f"macro.t.{one}" for one in macros], "nodes": []}
        return {"resource_type": "model", "name": name, "raw_code": "", "fqn": ["t", name], "depends_on": depends_on}

    nodes = [node("due", "days"), node("plain"), node("daily", "today_in"), node("both", "today_in", "as_of")]
    manifest = {
        "sources": {},
        "macros": {"macro.t.as_of": macro, "macro.t.days": outer, "macro.t.today_in": outer},
        "nodes": {f"model.t.{node['name']}": node for node in nodes},
        "child_map": {},
    }

    def stale(days_before: dict[str, str], days_now: dict[str, str]) -> set[str]:
        before = building.Inputs("p", "08:00", {}, {}, {}, days_before)
        found = building.stale_nodes(manifest, before, building.Inputs("p", "09:00", {}, {}, {}, days_now))
        assert found is not None
        return {one.rpartition(".")[2] for one in found}

    assert stale({"UTC": "2026-07-01"}, {"UTC": "2026-07-01"}) == {"due", "both"}
    assert stale({"UTC": "2026-07-01"}, {"UTC": "2026-07-02"}) == {"due", "both", "daily"}
    assert stale({}, {}) == {"due", "both", "daily"}, "nobody noted the days"
    midnight_in_paris = {"UTC": "2026-07-01", "Europe/Paris": "2026-07-02"}
    assert stale({"UTC": "2026-07-01", "Europe/Paris": "2026-07-01"}, midnight_in_paris) == {"due", "both", "daily"}


def test_a_snapshot_of_one_feed_leaves_the_models_of_the_others() -> None:
    def model(name: str, *parents: str, code: str = "{{ newest_snapshot(...) }}") -> dict[str, object]:
        macros = ["macro.t.newest_snapshot"] if "newest_snapshot" in code else []
        depends_on = {"macros": macros, "nodes": list(parents)}
        return {"resource_type": "model", "name": name, "raw_code": code, "fqn": ["t", name], "depends_on": depends_on}

    manifest_rows, items, banks = "source.t.raw.landing_files", "source.t.raw.erp_items", "source.t.raw.erp_banks"
    manifest = {
        "sources": {source: {"name": source.rpartition(".")[2]} for source in (manifest_rows, items, banks)},
        "macros": {},
        "nodes": {
            "model.t.items": model("items", items, manifest_rows),
            "model.t.banks": model("banks", banks, manifest_rows),
            "model.t.files": model("files", manifest_rows, code="select * from landing_files"),
            "model.t.stock": model("stock", "model.t.items", code="select 1"),
        },
        "child_map": {
            manifest_rows: ["model.t.items", "model.t.banks", "model.t.files"],
            items: ["model.t.items"],
            banks: ["model.t.banks"],
            "model.t.items": ["model.t.stock"],
        },
    }
    before = building.Inputs("p", "t", {}, {"landing_files": "a"}, {"erp_items": "1", "erp_banks": "1"})
    emptied = building.Inputs("p", "t", {}, {"landing_files": "b"}, {"erp_items": "2", "erp_banks": "1"})
    assert building.stale_nodes(manifest, before, emptied) == {"model.t.items", "model.t.stock", "model.t.files"}


def test_a_lane_builds_what_it_is_for_and_the_next_whole_build_the_rest(project: Settings) -> None:
    load(project, 3)
    part = building.build(project, targets=("act_totals",))
    assert part.ok, part
    models = {node.name for node in part.nodes if node.resource_type == "model"}
    assert "act_totals" in models
    assert models.isdisjoint({"exceptions", "quarantined"}), "nobody asked for them"
    assert "unique_totals_marketplace_code" not in {node.name for node in part.nodes}, "it has a minute"
    rest = building.build(project)
    names = {node.name for node in rest.nodes}
    assert names >= {"exceptions", "totals", "unique_totals_marketplace_code"}
    assert building.build(project).nodes == ()


def test_a_summary_is_built_from_what_is_there(project: Settings) -> None:
    load(project, 3)
    part = building.build(project, targets=("stg_lines",), summaries=("act_totals",))
    assert {node.name for node in part.nodes if node.resource_type == "model"} == {"act_totals"}, "the other is a view"
    assert {node.name for node in building.build(project).nodes} >= {"totals", "act_totals"}


def test_what_a_lane_built_from_a_configuration_that_is_back_is_built_again(project: Settings) -> None:
    before = {path: path.read_bytes() for path in project.config_dir.glob("*.csv")}
    load(project, 3)
    assert building.build(project).ok
    later = project.model_copy(update={"as_of": project.clock.now() + timedelta(hours=1)})
    load(later, 4)
    changed = building.build(later, targets=("act_totals",))
    again = {node.name for node in building.build(later).nodes}
    assert {node.name for node in changed.nodes if node.resource_type == "model"} <= again
    assert before == {path: path.read_bytes() for path in project.config_dir.glob("*.csv")}
