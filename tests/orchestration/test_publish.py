"""Publishing: readers see the old file or the new one, never a lock, and equal content has an equal digest."""

from __future__ import annotations

import json
import subprocess
import sys

import duckdb
import pytest

from orchestration.lib.publish import publish, read_manifest
from orchestration.lib.settings import Settings
from orchestration.lib.warehouse import connect


def build(settings: Settings, *, rows: str = "(1, 'a', 10.50), (2, 'b', null)") -> None:
    with connect(settings) as connection:
        connection.execute("create schema if not exists marts")
        connection.execute(
            "create or replace table marts.totals as select id, name, amount::decimal(18, 2) as amount"
            f" from (values {rows}) as content (id, name, amount)"
        )


def test_what_is_published_can_be_read_while_the_warehouse_is_being_written(settings: Settings) -> None:
    build(settings)
    publish(settings)
    script = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1], read_only=True);"
        " print(c.execute('select sum(amount) from marts.totals').fetchone()[0])"
    )
    with connect(settings):
        command = [sys.executable, "-c", script, str(settings.published_path)]
        read = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert read.stdout.strip() == "10.50"


def test_a_reader_keeps_its_file_while_a_newer_one_is_swapped_in(settings: Settings) -> None:
    build(settings)
    publish(settings)
    # Another process's reader: this process would be given DuckDB's cached instance of the same path.
    script = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1], read_only=True); print('open', flush=True);"
        " sys.stdin.readline(); print(c.execute('select count(*) from marts.totals').fetchone()[0], flush=True)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(settings.published_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "open\n"
        build(settings, rows="(1, 'a', 1), (2, 'b', 2), (3, 'c', 3)")
        publish(settings)
        out, _ = reader.communicate("go\n", timeout=30)
    assert out == "2\n"
    with duckdb.connect(str(settings.published_path), read_only=True) as fresh:
        assert fresh.execute("select count(*) from marts.totals").fetchone() == (3,)


def test_older_clients_can_open_the_file(settings: Settings) -> None:
    build(settings)
    publish(settings)
    with duckdb.connect(str(settings.published_path), read_only=True) as connection:
        tags = connection.execute(
            "select tags['storage_version'] from duckdb_databases() where database_name = 'tieout'"
        ).fetchone()
    assert tags is not None
    assert str(tags[0]).startswith("v1.4.0")


def test_the_digest_knows_content_and_ignores_order(settings: Settings) -> None:
    build(settings)
    first = publish(settings)
    build(settings, rows="(2, 'b', null), (1, 'a', 10.50)")
    reordered = publish(settings)
    build(settings, rows="(1, 'a', 10.51), (2, 'b', null)")
    changed = publish(settings)
    assert first.digest == reordered.digest
    assert reordered.changed == ()
    assert changed.digest != first.digest
    assert changed.changed == ("totals",)


@pytest.mark.parametrize(
    "rows",
    [
        "(1, 'a', 10.50), (2, 'b', 0)",
        "(1, 'a', 10.50), (2, '', null)",
        "(1, 'a', 10.50)",
        "(1, 'a|', 10.50), (2, 'b', null)",
    ],
)
def test_near_misses_have_another_digest(settings: Settings, rows: str) -> None:
    build(settings)
    before = publish(settings).digest
    build(settings, rows=rows)
    assert publish(settings).digest != before


def test_unchanged_marts_leave_every_published_file_alone(settings: Settings) -> None:
    build(settings)
    publish(settings)
    before = {path: path.stat().st_mtime_ns for path in settings.published_dir.rglob("*") if path.is_file()}
    publish(settings)
    assert {path: path.stat().st_mtime_ns for path in settings.published_dir.rglob("*") if path.is_file()} == before


def test_a_crash_before_the_swap_leaves_the_old_files_and_the_next_run_mends_them(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(settings)
    publish(settings)
    build(settings, rows="(9, 'z', 1)")
    from orchestration.lib import publish as module

    def die(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_write_database", die)
    with pytest.raises(KeyboardInterrupt):
        publish(settings)
    monkeypatch.undo()
    with duckdb.connect(str(settings.published_path), read_only=True) as connection:
        assert connection.execute("select count(*) from marts.totals").fetchone() == (2,)
    assert publish(settings).changed == ("totals",)
    assert json.loads((settings.published_dir / "manifest.json").read_text())["marts"]["totals"]["rows"] == 1


def test_a_mart_that_is_gone_is_gone_from_the_published_files(settings: Settings) -> None:
    build(settings)
    with connect(settings) as connection:
        connection.execute("create table marts.second as select 1 as id")
    publish(settings)
    with connect(settings) as connection:
        connection.execute("drop table marts.second")
    publish(settings)
    assert set(read_manifest(settings)) == {"totals"}
    assert [path.stem for path in (settings.published_dir / "parquet").iterdir()] == ["totals"]
