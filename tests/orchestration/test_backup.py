"""A backup is whole, holds no secret, and comes back equal; one that is not as it was written is refused."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from orchestration.lib.backup import MANIFEST, BackupRefused, backup, read_backup, restore
from orchestration.lib.lanes import run_lane
from orchestration.lib.settings import Settings
from orchestration.lib.state import State
from orchestration.outbox import Outbox
from tests.orchestration.conftest import CANARY, settings_of
from tests.orchestration.test_lanes import totals, vendors, workspace
from tests.orchestration.vendor import line


def audit_head(settings: Settings) -> str:
    outbox = Outbox(settings.outbox_address, settings.clock)
    try:
        return outbox.verify_audit().head
    finally:
        outbox.close()


def test_a_restored_installation_is_equal_and_goes_on(ran: Settings, tmp_path: Path) -> None:
    made = backup(ran, tmp_path / "copy")
    # What happens after the backup is not in it, and does not change it.
    Outbox(ran.outbox_address, ran.clock).runs.start("stock")
    shutil.copytree(tmp_path / "copy", tmp_path / "elsewhere")

    found, proved = restore(tmp_path / "elsewhere", tmp_path / "new", expected=made.digest)

    again = settings_of(tmp_path / "new")
    assert found.proof == made.proof == proved
    assert proved.outbox_head == audit_head(again) == audit_head(ran)
    assert totals(again) == totals(ran)
    with State(again.state_path) as new, State(ran.state_path) as old:
        assert new.files() == old.files()
        assert len(new.files()) == proved.landing_files > 0
    # It is an installation: a lane runs on it and reads only what is new.
    connections = vendors(BRICO=4)
    connections.accounts["mirakl", "BRICO"].records["transaction_lines"].append(line(5))
    later = run_lane("settlement", again, workspace=workspace(again, connections), all_feeds=True)
    assert later.problems == []
    assert totals(again) == [("BRICO", 5, "61.70")]
    assert totals(ran) == [("BRICO", 4, "49.36")]


def test_no_secret_is_in_a_backup(ran: Settings, tmp_path: Path) -> None:
    backup(ran, tmp_path / "copy")
    files = [path for path in (tmp_path / "copy").rglob("*") if path.is_file()]
    assert {"state.db", "outbox.db", "warehouse.duckdb", "tieout.duckdb", "marketplaces.csv"} <= {p.name for p in files}
    assert [path for path in files if CANARY.encode() in path.read_bytes()] == []


def test_a_changed_byte_is_refused(ran: Settings, tmp_path: Path) -> None:
    made = backup(ran, tmp_path / "copy")
    for name in (
        "warehouse.duckdb",
        "outbox.db",
        "state.db",
        "tieout.duckdb",
        "*.json.zst",
        "tolerances.csv",
        MANIFEST,
    ):
        path = next((tmp_path / "copy").rglob(name))
        content = path.read_bytes()
        middle = len(content) // 2
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
        with pytest.raises(BackupRefused, match=r"was changed|not the one that was noted"):
            restore(tmp_path / "copy", tmp_path / "new", expected=made.digest)
        assert not (tmp_path / "new").exists()
        path.write_bytes(content)
    read_backup(tmp_path / "copy", expected=made.digest)


def test_a_missing_or_added_file_and_another_manifest_are_refused(ran: Settings, tmp_path: Path) -> None:
    copy = backup(ran, tmp_path / "copy").path
    (copy / "data" / "more").write_text("slipped in")
    with pytest.raises(BackupRefused, match="data/more was put there"):
        read_backup(copy)
    (copy / "data" / "more").unlink()
    (copy / "config" / "switches.csv").unlink()
    with pytest.raises(BackupRefused, match=r"config/switches.csv is missing"):
        read_backup(copy)
    # Somebody who edits a file and its hash is found by the digest that was noted elsewhere.
    content = json.loads((copy / MANIFEST).read_text())
    del content["files"]["config/switches.csv"]
    (copy / MANIFEST).write_text(json.dumps(content))
    read_backup(copy)
    with pytest.raises(BackupRefused, match="not the one that was noted"):
        read_backup(copy, expected="0" * 64)
    content["format"] = 99
    (copy / MANIFEST).write_text(json.dumps(content))
    with pytest.raises(BackupRefused, match="newer version"):
        read_backup(copy)
    with pytest.raises(BackupRefused, match="is no backup"):
        read_backup(tmp_path)


def test_damage_is_not_saved_as_if_it_were_whole(ran: Settings, tmp_path: Path) -> None:
    with sqlite3.connect(ran.root / "outbox.db") as connection:
        connection.execute("update outbox_actions set state = 'PROPOSED'")
    with pytest.raises(BackupRefused, match="the audit trail does not hold"):
        backup(ran, tmp_path / "copy")
    page = next(Path(ran.landing).rglob("*.zst"))
    page.write_bytes(page.read_bytes()[:-20])
    with pytest.raises(BackupRefused, match=r"is damaged|not as it was landed"):
        backup(ran, tmp_path / "copy")
    assert [path.name for path in tmp_path.iterdir() if "copy" in path.name] == []
    with pytest.raises(BackupRefused, match="exists"):
        backup(ran, tmp_path)
