"""Disk full or read-only, file damaged, database locked, clock set back: a clear message, a way back, nothing lost."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import DatabaseError

from orchestration.cli.problems import problem_of
from orchestration.lib import integrity
from orchestration.lib.backup import backup, restore
from orchestration.lib.lanes import run_lane
from orchestration.lib.settings import Settings
from orchestration.lib.state import State
from orchestration.outbox import Outbox
from tests.orchestration.conftest import settings_of
from tests.orchestration.small_disk import attempt
from tests.orchestration.test_lanes import totals, vendors, workspace
from tests.orchestration.vendor import line

ROOT = Path(__file__).parents[2]


def can_mount() -> bool:
    """Whether this user may make a mount namespace, in which root is nobody but themselves."""
    if shutil.which("unshare") is None:
        return False
    probe = ["unshare", "-Urm", "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "/mnt"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not can_mount(), reason="needs user namespaces, to mount a small disk")
def test_a_disk_that_runs_full_or_is_read_only_costs_time_and_nothing_else(tmp_path: Path) -> None:
    """At every level another write is the one that fails: the manifest or a page, the warehouse, the published file.

    A file system that is mounted read-only stops root, too, which file modes would not.
    """
    levels = ("2500",) if os.environ.get("FAULTS") != "all" else ("20", "60", "200", "600", "1500", "2500", "4500")
    small_disk = f"{sys.executable} -m tests.orchestration.small_disk {tmp_path} {' '.join(levels)}"
    done = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", f"mount -t tmpfs -o size=64m tmpfs {tmp_path} && {small_disk}"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    seen = json.loads(done.stdout.splitlines()[-1])
    for free, words in seen["full"].items():
        assert any("The disk is full: free some space" in text for text in words), (free, words)
    assert any("cannot be written: make it writable" in text for text in seen["read_only"]), seen["read_only"]
    assert seen["afterwards"] == []
    assert seen["totals"] == [["BRICO", 40, "493.60"]]
    assert seen["integrity"] == []


def test_a_locked_database_is_waited_for_and_then_named(ran: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    impatient = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda path, **how: impatient(path, **{**how, "timeout": 0.1}))
    holder = impatient(ran.state_path, isolation_level=None)
    holder.execute("begin immediate")
    assert any("Another program holds the database open" in words for words in attempt(ran))
    holder.execute("rollback")
    holder.close()
    assert attempt(ran) == []
    assert totals(ran) == [("BRICO", 40, "493.60")]


def open_state(settings: Settings) -> None:
    with State(settings.state_path) as opened:
        opened.batches()


def open_outbox(settings: Settings) -> None:
    outbox = Outbox(settings.outbox_address, settings.clock)
    try:
        outbox.verify_audit()
    finally:
        outbox.close()


@pytest.mark.parametrize(("name", "look"), [("state.db", open_state), ("outbox.db", open_outbox)])
def test_a_damaged_database_is_named_and_comes_back_from_the_backup(
    ran: Settings, tmp_path: Path, name: str, look: Callable[[Settings], None]
) -> None:
    made = backup(ran, tmp_path / "copy")
    path = ran.root / name
    for beside in (f"{name}-wal", f"{name}-shm"):
        (ran.root / beside).unlink(missing_ok=True)
    path.write_bytes(b"damaged " * (path.stat().st_size // 8))
    with pytest.raises((sqlite3.DatabaseError, DatabaseError)) as raised:
        look(ran)
    problem = problem_of(raised.value)
    assert "put it back from the newest backup" in problem.action
    assert restore(tmp_path / "copy", tmp_path / "new")[1] == made.proof
    look(settings_of(tmp_path / "new"))


def test_a_clock_that_is_set_back_loses_nothing(ran: Settings) -> None:
    connections = vendors(BRICO=4)
    connections.accounts["mirakl", "BRICO"].records["transaction_lines"].append(line(5, updated="2026-07-03T09:00:00Z"))
    later = ran.model_copy(update={"as_of": ran.clock.now() + timedelta(days=2)})
    assert run_lane("settlement", later, workspace=workspace(later, connections), all_feeds=True).problems == []
    earlier = ran.model_copy(update={"as_of": ran.clock.now() - timedelta(days=1)})
    connections.accounts["mirakl", "BRICO"].records["transaction_lines"].append(line(6, updated="2026-07-03T10:00:00Z"))
    back = run_lane("settlement", earlier, workspace=workspace(earlier, connections), all_feeds=True)
    assert back.problems == []
    assert totals(ran) == [("BRICO", 6, "74.04")]
    assert integrity.verify(ran).ok
    with State(ran.state_path) as opened:
        numbers = [batch.batch for batch in opened.batches()]
    assert numbers == sorted(set(numbers))
