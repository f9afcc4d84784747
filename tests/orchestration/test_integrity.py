"""What somebody edits, removes or slips in is found by `tieout audit verify`, whatever it belongs to."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from orchestration.cli.problems import problem_of
from orchestration.lib import integrity
from orchestration.lib.lanes import run_lane
from orchestration.lib.publish import publish
from orchestration.lib.settings import Settings
from orchestration.lib.state import State
from orchestration.lib.state_schema import VERSION, StateTooNew
from orchestration.lib.warehouse import WarehouseChanged, connect
from tests.orchestration.conftest import rewrite
from tests.orchestration.test_lanes import vendors, workspace


def flip(path: Path) -> None:
    """Change one byte in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def edit_warehouse(settings: Settings) -> None:
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute("update raw.mirakl_transaction_lines set amount = '0.01'")


def edit_state(settings: Settings, *statements: str) -> None:
    with sqlite3.connect(settings.state_path) as connection:
        for statement in ("drop trigger seals_no_update", "drop trigger seals_no_delete", *statements):
            connection.execute(statement)


EDITS: dict[str, tuple[Callable[[Settings], object], str]] = {
    "a page": (lambda s: flip(next(Path(s.landing).rglob("*.zst"))), "landing/.*(is damaged|is not as it was landed)"),
    "a page cut off": (lambda s: cut(next(Path(s.landing).rglob("*.zst"))), "landing/.*(is damaged|is not as it was)"),
    "a page removed": (lambda s: next(Path(s.landing).rglob("*.zst")).unlink(), "landing/.* is missing"),
    "a row of the manifest": (
        lambda s: edit_state(s, "update files set sha256 = 'f' where number = 1"),
        "the manifest of extraction 1 .* was changed",
    ),
    "an extraction": (
        lambda s: edit_state(s, "update batches set records_landed = 77"),
        r"the manifest of extraction \d+ .* was changed",
    ),
    "an extraction slipped in": (
        lambda s: edit_state(
            s,
            "insert into batches (run_id, vendor, account, entity, mode, status, started_at) "
            "values ('r', 'mirakl', 'BRICO', 'offers', 'cursor', 'COMPLETE', '2026-07-01')",
        ),
        "slipped in",
    ),
    "an extraction removed": (
        lambda s: edit_state(
            s,
            "delete from record_hashes",
            "delete from files where batch = 1",
            "delete from batches where batch = 1",
        ),
        "extraction 1 was removed",
    ),
    "a seal": (lambda s: edit_state(s, "update seals set content = 'x' where sequence = 1"), "seal 1 was changed"),
    "a seal removed": (lambda s: edit_state(s, "delete from seals where sequence = 1"), "seals are missing"),
    "the published marts": (lambda s: flip(s.published_path), r"published/tieout.duckdb was changed"),
    "a Parquet file": (
        lambda s: flip(next((s.published_dir / "parquet").glob("*.parquet"))),
        r"published/parquet/.* was changed",
    ),
    "a file put beside the marts": (
        lambda s: (s.published_dir / "parquet" / "more.parquet").write_bytes(b"x"),
        r"published/parquet/more.parquet was put there",
    ),
    "the warehouse": (edit_warehouse, "warehouse.duckdb was changed outside Tieout"),
    "the warehouse around DuckDB": (lambda s: flip_data(s), "Corrupt database file|could not read|checksum"),
    "the warehouse cut off": (lambda s: cut(s.warehouse_path), "warehouse.duckdb"),
}


def cut(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def flip_data(settings: Settings) -> None:
    """Bytes of the tables' blocks, with header and size as they were."""
    content = bytearray(settings.warehouse_path.read_bytes())
    for at in range(20_000, len(content), 4096):
        content[at] ^= 255
    settings.warehouse_path.write_bytes(content)


@pytest.mark.parametrize("what", EDITS)
def test_an_edit_is_found(ran: Settings, what: str) -> None:
    edit, words = EDITS[what]
    edit(ran)
    found = integrity.verify(ran)
    assert any(re.search(words, problem) for problem in found.problems), found.problems


def test_an_untouched_installation_holds_and_its_head_moves_with_every_run(ran: Settings) -> None:
    before = integrity.verify(ran)
    assert before.ok
    assert before.files > 0
    assert before.tables > 10
    assert before.notes == []
    connections = vendors(BRICO=5)
    assert run_lane("settlement", ran, workspace=workspace(ran, connections), all_feeds=True).problems == []
    after = integrity.verify(ran)
    assert after.ok, after.problems
    assert after.seals > before.seals
    assert before.head in after.hashes
    rewrite(ran.config_dir / "tolerances.csv", lambda rows: rows[:-1])
    assert integrity.verify(ran).notes == [
        "configuration: tolerances.csv was changed since the last run; it holds from the next"
    ]


def test_a_run_refuses_a_warehouse_that_somebody_edited(ran: Settings) -> None:
    """Nothing is built on it, published or sent; away with it, the next run makes it anew from the evidence."""
    published = ran.published_path.read_bytes()
    edit_warehouse(ran)
    result = run_lane("settlement", ran, workspace=workspace(ran, vendors(BRICO=4)), all_feeds=True)
    assert [problem.stage for problem in result.problems] == ["load"]
    assert "changed outside Tieout" in result.problems[0].detail
    assert "tieout rebuild" in result.problems[0].detail
    assert ran.published_path.read_bytes() == published
    ran.warehouse_path.unlink()
    again = run_lane("settlement", ran, workspace=workspace(ran, vendors(BRICO=4)), all_feeds=True)
    assert again.problems == []
    assert integrity.verify(ran).ok


def test_a_session_that_was_cut_off_is_no_edit(ran: Settings) -> None:
    class Cut(Exception):
        pass

    def session() -> None:
        with connect(ran) as connection:
            connection.execute("create table raw.half as select 1 as one")
            raise Cut

    with pytest.raises(Cut):
        session()
    with connect(ran) as connection:
        connection.execute("drop table raw.half")
    edit_warehouse(ran)
    with pytest.raises(WarehouseChanged), connect(ran):
        pass


def test_the_database_itself_refuses_to_change_a_seal(ran: Settings) -> None:
    with sqlite3.connect(ran.state_path) as connection:
        for statement in ("update seals set content = 'x'", "delete from seals"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(statement)


def test_a_folder_of_before_there_were_seals_is_upgraded_and_its_evidence_sealed(ran: Settings) -> None:
    edit_state(ran, "drop table seals", "alter table files drop column stored_sha256", "pragma user_version = 0")
    with State(ran.state_path) as state:
        kinds = [seal.kind for seal in state.seals()]
        assert kinds == ["BATCH"] * len(state.batches())
    assert integrity.verify(ran).ok
    with sqlite3.connect(ran.state_path) as connection:
        assert connection.execute("pragma user_version").fetchone() == (VERSION,)
        connection.execute(f"pragma user_version = {VERSION + 1}")
    with pytest.raises(StateTooNew, match="written by a newer version") as raised:
        State(ran.state_path)
    assert problem_of(raised.value).messages == (str(raised.value),)


def test_a_chain_whose_end_was_cut_off_is_found_by_a_noted_head(ran: Settings, tmp_path: Path) -> None:
    noted = integrity.verify(ran).head
    with State(ran.state_path) as state:
        last = [seal.sequence for seal in state.seals()][-1]
    edit_state(ran, f"delete from seals where sequence = {last}")
    shutil.rmtree(ran.published_dir)
    assert noted not in integrity.verify(ran).hashes


def test_seals_say_which_file(ran: Settings) -> None:
    with State(ran.state_path) as state:
        last = state.last_seal("PUBLISHED")
        assert last is not None
        assert {"tieout.duckdb", "manifest.json", "parquet/totals.parquet"} <= json.loads(last.content).keys()


def marts_of(settings: Settings) -> list[tuple[str, int]]:
    with duckdb.connect(str(settings.published_path), read_only=True) as connection:
        return connection.execute("select marketplace_code, line_count from marts.totals").fetchall()


def test_an_edit_of_a_published_mart_does_not_outlive_the_next_publication(ran: Settings) -> None:
    """Though only another mart changed, for which the old file would have been copied."""
    before = marts_of(ran)
    with duckdb.connect(str(ran.published_path)) as connection:
        connection.execute("update marts.totals set line_count = 4711")
    with connect(ran) as connection:
        connection.execute("create or replace table marts.more as select 1 as one")
    result = publish(ran)
    integrity.seal_outputs(ran, result)
    assert result.changed == ("more",)
    assert marts_of(ran) == before
    assert integrity.verify(ran).problems == []


def test_a_publication_that_was_cut_off_before_its_seal_is_no_edit_and_made_anew(ran: Settings) -> None:
    with connect(ran) as connection:
        connection.execute("create or replace table marts.more as select 1 as one")
    assert publish(ran).changed == ("more",)  # and here the process was killed
    found = integrity.verify(ran)
    assert found.problems == []
    assert any("cut off while it published" in note for note in found.notes)
    again = publish(ran)
    assert len(again.changed) == len(again.marts)
    integrity.seal_outputs(ran, again)
    assert integrity.verify(ran).notes == []
