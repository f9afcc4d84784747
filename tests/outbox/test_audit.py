"""The hash chain: written with the state, append-only, and every way of tampering is found."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from orchestration.outbox import Outbox, SchemaMismatch, UnsupportedDatabase
from orchestration.outbox.database import WRITE, current_revision
from orchestration.outbox.schema import HEAD_REVISION, actions, metadata

from .world import AUTO, ON, FileVendor, PinnedClock, journal, stock, table

COPIED = [column.name for column in actions.columns if column.name not in ("action_key", "natural_id")]
SLIPPED_IN = (
    f"INSERT INTO outbox_actions (action_key, natural_id, {', '.join(COPIED)}) "
    f"SELECT 'STOCK|BRICO|B|1', 'B', {', '.join(COPIED)} FROM outbox_actions WHERE kind = 'STOCK'"
)


@pytest.fixture
def filled(sqlite_outbox: Outbox, tmp_path: Path) -> Outbox:
    sqlite_outbox.propose(table(journal("j1"), journal("j2"), stock("A", 5)))
    sqlite_outbox.apply_policy(AUTO, ON, True)
    sqlite_outbox.deliver({("JOURNAL", "SAGE_UK"): FileVendor(tmp_path / "v")})
    assert sqlite_outbox.verify_audit().ok
    return sqlite_outbox


def tamper(outbox: Outbox, *statements: str) -> None:
    with outbox.engine.connect().execution_options(**{WRITE: True}) as connection, connection.begin():
        for trigger in ("outbox_audit_no_update", "outbox_audit_no_delete"):
            connection.execute(sa.text(f"DROP TRIGGER {trigger}"))
        for statement in statements:
            connection.execute(sa.text(statement))


def test_the_trail_tells_the_whole_story(filled: Outbox) -> None:
    entries = filled.audit_log()
    assert [entry["sequence"] for entry in entries] == list(range(1, len(entries) + 1))
    assert entries[0]["previous_hash"] == "0" * 64
    assert all(later["previous_hash"] == earlier["hash"] for earlier, later in pairwise(entries))
    story = [(e["from_state"], e["to_state"], e["actor"]) for e in filled.history(journal("j1")["action_key"])]
    assert story == [
        (None, "PROPOSED", "tieout"),
        ("PROPOSED", "APPROVED", "tieout"),
        ("APPROVED", "SENDING", "tieout"),
        ("SENDING", "SENT", "tieout"),
        ("SENT", "VERIFIED", "tieout"),
    ]
    assert [entry["sequence"] for entry in filled.audit_log(limit=2)] == [len(entries) - 1, len(entries)]


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE outbox_audit SET actor = 'nobody' WHERE sequence = 2", "was changed after it was written"),
        ("UPDATE outbox_audit SET why = 'because' WHERE sequence = 5", "was changed after it was written"),
        (
            "UPDATE outbox_audit SET at = '2026-01-01T00:00:00.000000Z' WHERE sequence = 1",
            "was changed after it was written",
        ),
        ("DELETE FROM outbox_audit WHERE sequence = 4", "entries are missing"),
        ("DELETE FROM outbox_audit WHERE sequence = 1", "does not follow the entry before it"),
        (
            "DELETE FROM outbox_audit WHERE sequence = (SELECT max(sequence) FROM outbox_audit)",
            "was changed outside the outbox: detail, state",
        ),
        (
            "UPDATE outbox_actions SET payload = '{\"lines\": []}' WHERE kind = 'JOURNAL'",
            "was changed outside the outbox: payload_hash",
        ),
        ("UPDATE outbox_actions SET amount = '1.00' WHERE kind = 'JOURNAL'", "was changed outside the outbox: amount"),
        (
            "UPDATE outbox_actions SET state = 'APPROVED' WHERE kind = 'JOURNAL'",
            "was changed outside the outbox: state",
        ),
        ("DELETE FROM outbox_actions WHERE kind = 'STOCK'", "is in the trail but not in the actions table"),
        (
            SLIPPED_IN,
            "is in the actions table but not in the trail",
        ),
    ],
)
def test_tampering_is_found(filled: Outbox, statement: str, problem: str) -> None:
    tamper(filled, statement)
    report = filled.verify_audit()
    assert not report.ok
    assert any(problem in found.problem for found in report.problems), report.problems


def test_a_trail_rewritten_from_the_start_is_found_by_a_head_noted_before(filled: Outbox) -> None:
    noted = filled.verify_audit().head
    assert filled.verify_audit(expected_head=noted).ok
    filled.reject([stock("A", 5)["action_key"]], by="anna", reason="later")
    assert filled.verify_audit(expected_head=noted).ok, "a head noted earlier stays in the trail"
    tamper(filled, "DELETE FROM outbox_audit", "DELETE FROM outbox_actions")
    assert filled.verify_audit().ok, "an emptied outbox agrees with itself"
    report = filled.verify_audit(expected_head=noted)
    assert "cut off or rewritten" in report.problems[0].problem


@pytest.mark.parametrize("statement", ["UPDATE outbox_audit SET actor = 'x'", "DELETE FROM outbox_audit"])
def test_the_database_itself_refuses_to_change_the_trail(outbox: Outbox, statement: str) -> None:
    outbox.propose(table(journal()))
    with (
        pytest.raises(sa.exc.DBAPIError, match="append-only"),
        outbox.engine.connect().execution_options(**{WRITE: True}) as connection,
        connection.begin(),
    ):
        connection.execute(sa.text(statement))
    assert outbox.verify_audit().ok


def test_a_state_and_its_entry_are_one_transaction(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    outbox.propose(table(journal()))
    key = journal()["action_key"]

    def fail(*_: Any) -> None:
        raise OSError("the disk is full")

    original: Callable[..., Any] = outbox._append
    monkeypatch.setattr(outbox, "_append", fail)
    with pytest.raises(OSError, match="disk is full"):
        outbox.approve([key], by="anna")
    monkeypatch.setattr(outbox, "_append", original)
    assert outbox.find(key)["state"] == "PROPOSED"
    assert outbox.verify_audit().ok


def test_the_migrations_make_exactly_the_tables_the_code_uses(outbox: Outbox) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with outbox.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_newest_migration_is_the_one_the_code_expects(outbox: Outbox) -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    import orchestration.outbox.migrations as migrations

    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD_REVISION == current_revision(outbox.engine)


def test_a_database_of_a_newer_version_is_left_alone(sqlite_outbox: Outbox, clock: PinnedClock) -> None:
    tamper(sqlite_outbox, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaMismatch, match="upgrade Tieout"):
        Outbox(sqlite_outbox.engine.url, clock)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://host/database"])
def test_a_database_that_cannot_keep_the_promise_is_refused(url: str, clock: PinnedClock) -> None:
    with pytest.raises(UnsupportedDatabase):
        Outbox(url, clock)


def test_lane_runs_are_remembered_and_a_killed_one_is_noticed(outbox: Outbox) -> None:
    from orchestration.outbox import RunStatus

    killed = outbox.runs.start("settlement")
    stock_run = outbox.runs.start("stock")
    outbox.runs.finish(stock_run, RunStatus.PARTIAL, {"failed_accounts": ["BRICO"]})
    again = outbox.runs.start("settlement")
    latest = {run.lane: run for run in outbox.runs.latest()}
    assert (latest["settlement"].run_id, latest["settlement"].status) == (again, RunStatus.RUNNING)
    assert (latest["stock"].status, latest["stock"].summary) == (RunStatus.PARTIAL, {"failed_accounts": ["BRICO"]})
    assert latest["stock"].seconds is not None
    with outbox.engine.connect() as connection:
        row = connection.execute(
            sa.text("SELECT status, summary FROM lane_runs WHERE run_id = :id"), {"id": killed}
        ).one()
    assert row.status == "FAILED"
    assert "process ended" in row.summary
