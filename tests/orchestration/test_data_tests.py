"""The tests of rows that are asked at once after a build: dbt's verdicts, word for word; what else dbt must ask stays
with dbt.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from orchestration.lib import building, data_tests, dbt
from orchestration.lib.settings import Settings
from tests.orchestration.test_building import load

VALUES = "accepted_values: {{name: {name}, arguments: {{values: [{value}]}}, config: {config}}}"
COLUMN = "      - name: {column}\n        data_tests:\n"


@pytest.fixture
def project(settings: Settings, tmp_path: Path) -> Settings:
    """A project of its own with two lines loaded."""
    folder = tmp_path / "project"
    shutil.copytree(settings.dbt_project_dir, folder)
    made = settings.model_copy(update={"dbt_project_dir": folder})
    load(made, 1, 2)
    return made


def _with_tests(settings: Settings, **columns: dict[str, tuple[str, str]]) -> None:
    """Tests of columns of `totals`, by column and name, each with its accepted value and its configuration."""
    text = "version: 2\nmodels:\n  - name: totals\n    columns:\n"
    for column, tests in columns.items():
        text += COLUMN.format(column=column)
        for name, (value, config) in tests.items():
            text += "          - " + VALUES.format(name=name, value=value, config=config) + "\n"
    schema = settings.dbt_project_dir / "models" / "schema.yml"
    before = schema.read_text()
    schema.write_text(before[: before.index("models:")])
    (schema.parent / "claims.yml").write_text(text)


def test_the_verdicts_are_those_of_dbt(project: Settings) -> None:
    _with_tests(
        project,
        marketplace_code={
            "holds": ("BRICO", "{}"),
            "fails": ("PLAZA", "{severity: error}"),
            "warns": ("PLAZA", "{severity: warn}"),
            "is_lenient": ("PLAZA", "{error_if: '> 5', warn_if: '> 5'}"),
            "is_off": ("PLAZA", "{enabled: false}"),
        },
        as_of={"reads_the_clock": ("\"{{ var('as_of') }}\"", "{}")},
        no_such_column={"cannot_be_asked": ("x", "{}")},
    )
    ours = {node.name: node for node in building.build(project).nodes if node.resource_type == "test"}
    whole = dbt._invoke(dbt.arguments("test", project), project, None)
    theirs = {node.name: node for node in whole.nodes}
    assert set(ours) == set(theirs)
    assert {name: node.status for name, node in ours.items()} == {name: node.status for name, node in theirs.items()}
    assert {ours[name].status for name in ours} == {"pass", "fail", "warn", "error"}
    assert (ours["fails"].failures, ours["fails"].message) == (theirs["fails"].failures, theirs["fails"].message)
    assert (ours["warns"].failures, ours["warns"].message) == (theirs["warns"].failures, theirs["warns"].message)
    assert "no_such_column" in (ours["cannot_be_asked"].message or "")

    manifest = dbt._manifest(dbt.ensure_manifest(project).with_suffix(".msgpack"))
    taken = {test.name for test in data_tests.take_out(manifest).values()}
    assert taken == {"holds", "fails", "warns", "cannot_be_asked"}, (
        "limits of their own and the clock are dbt's to judge"
    )


def test_of_a_model_that_failed_nothing_is_asked(project: Settings) -> None:
    _with_tests(project, marketplace_code={"fails": ("PLAZA", "{}")})
    assert [node.name for node in building.build(project).failures] == ["fails"]
    model = next(project.dbt_project_dir.rglob("totals.sql"))
    model.write_text(model.read_text().replace("count(*) as line_count", "count(*) + no_such_column as line_count"))
    result = building.build(project)
    assert [node.name for node in result.failures] == ["totals"]
    assert "fails" in {node.name for node in result.skipped}, "the table is the one of before"
