"""Rows of the configuration, proposed by one person and approved by another, and the files that they change."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from filelock import FileLock

from orchestration.lib import config_changes
from orchestration.lib.config_changes import ChangeRefused, approve, in_words, propose
from orchestration.lib.config_files import FileChanged, read_file
from orchestration.lib.integrity import verify
from orchestration.lib.settings import DEFAULT_CONFIG_DIR, Settings
from orchestration.lib.state import State
from orchestration.outbox import ApprovalRefused, Changes, Outbox

ITEM = {"marketplace_code": "BRICO", "shop_sku": "BOO00055X", "erp_code": "SAGE_UK", "item_code": "BOO00055"}
CARRIER = {"erp_code": "SAGE_UK", "erp_carrier": "Bicycle courier", "marketplace_code": "*", "is_tracked": "false"}
BANK = {"entity_code": "UKTRADE", "marketplace_code": "*", "currency_code": "GBP", "account_role": "BANK"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    shutil.copytree(DEFAULT_CONFIG_DIR, tmp_path / "config")
    return Settings(
        config_dir=tmp_path / "config", data_dir=tmp_path / "data", as_of=datetime(2026, 7, 3, 8, tzinfo=UTC)
    )


@pytest.fixture
def outbox(settings: Settings) -> Iterator[Outbox]:
    box = Outbox(settings.outbox_address, settings.clock, channel="app")
    yield box
    box.close()


def add(settings: Settings, outbox: Outbox, file: str = "item_map.csv", row: dict[str, str] = ITEM) -> str:
    return propose(settings, outbox, file, None, row, by="paul", reason="the barcode is the same")


def test_a_row_is_in_the_file_only_when_another_person_approved(settings: Settings, outbox: Outbox) -> None:
    path = settings.config_dir / "item_map.csv"
    before = path.read_bytes()
    key = add(settings, outbox)
    assert path.read_bytes() == before
    with pytest.raises(ApprovalRefused, match="another person"):
        approve(settings, outbox, key, by="Paul ")
    assert path.read_bytes() == before
    assert "item_map.csv is changed" in approve(settings, outbox, key, by="ann")
    assert path.read_bytes() == before + b"BRICO,BOO00055X,SAGE_UK,BOO00055\n"
    assert [(entry["actor"], entry["to_state"]) for entry in outbox.audit_log(limit=2)] == [
        ("paul", "PROPOSED"),
        ("ann", "EFFECTIVE"),
    ]
    assert outbox.verify_audit().ok
    (row,) = outbox.changes.all()
    assert in_words(row) == "add BRICO, BOO00055X, SAGE_UK, BOO00055"
    with State(settings.state_path) as state:
        sealed = state.last_seal("CONFIGURATION")
    assert sealed is not None
    assert json.loads(sealed.content)["item_map.csv"] == row["written_hash"]
    assert not any("configuration" in note for note in verify(settings).notes)


def test_two_proposals_for_one_file_may_both_be_approved(settings: Settings, outbox: Outbox) -> None:
    keys = [add(settings, outbox, row={**ITEM, "shop_sku": f"SKU-{number}"}) for number in range(3)]
    for key in reversed(keys):
        approve(settings, outbox, key, by="ann")
    assert [row["shop_sku"] for row in read_file(settings.config_dir, "item_map.csv").rows] == [
        "SKU-2",
        "SKU-1",
        "SKU-0",
    ]


def test_a_file_that_was_edited_by_hand_in_between_is_left_alone(settings: Settings, outbox: Outbox) -> None:
    first, second = add(settings, outbox), add(settings, outbox, row={**ITEM, "shop_sku": "OTHER"})
    approve(settings, outbox, first, by="ann")
    path = settings.config_dir / "item_map.csv"
    edited = path.read_bytes() + b"BRICO,MINE,SAGE_UK,GAR00001\n"
    path.write_bytes(edited)
    with pytest.raises(ChangeRefused, match="changed by hand since paul proposed this"):
        approve(settings, outbox, second, by="ann")
    assert path.read_bytes() == edited
    assert [row["state"] for row in outbox.changes.all()] == ["EFFECTIVE", "PROPOSED"]
    assert outbox.changes.reject(second, by="ann", reason="stale") == "REJECTED"
    assert outbox.verify_audit().ok


def test_what_the_checks_refuse_is_not_even_proposed(settings: Settings, outbox: Outbox) -> None:
    for file, row, words in (
        ("item_map.csv", {**ITEM, "marketplace_code": "NOWHERE"}, "is not in marketplaces.csv"),
        ("item_map.csv", {**ITEM, "item_code": ""}, "is empty"),
        ("carriers.csv", {**CARRIER, "is_tracked": "perhaps"}, "must be true or false"),
        ("carriers.csv", {**CARRIER, "erp_carrier": "Own van"}, "repeats the key"),
        ("carriers.csv", {**CARRIER, "colour": "red"}, "has no column colour"),
        ("carriers.csv", {**CARRIER, "erp_carrier": "a\nb"}, "line break"),
        ("marketplaces.csv", {"marketplace_code": "X"}, "whoever keeps the installation"),
        ("../secrets.csv", {"a": "b"}, "whoever keeps the installation"),
    ):
        with pytest.raises(ChangeRefused, match=words):
            add(settings, outbox, file, row)
    assert outbox.changes.all() == []


def test_it_is_checked_again_before_it_is_written(settings: Settings, outbox: Outbox) -> None:
    key = add(settings, outbox)
    erps = settings.config_dir / "erps.csv"
    erps.write_text(erps.read_text().replace("SAGE_UK", "SAGE_OLD"))
    path = settings.config_dir / "item_map.csv"
    before = path.read_bytes()
    with pytest.raises(ChangeRefused, match="SAGE_UK"):
        approve(settings, outbox, key, by="ann")
    assert path.read_bytes() == before


def test_what_was_in_force_is_followed_by_a_new_row_and_never_edited(settings: Settings, outbox: Outbox) -> None:
    held = next(row for row in read_file(settings.config_dir, "accounts.csv").rows if BANK.items() <= row.items())
    for after in ({**held, "account_code": "1210"}, None):
        with pytest.raises(ChangeRefused, match="is in force since 2020-01-01"):
            propose(settings, outbox, "accounts.csv", held, after, by="paul", reason="new bank")
    later = {**held, "account_code": "1210", "effective_from": "2026-08-01"}
    approve(settings, outbox, add(settings, outbox, "accounts.csv", later), by="ann")
    corrected = {**later, "account_code": "1220"}
    key = propose(settings, outbox, "accounts.csv", later, corrected, by="paul", reason="typing error")
    assert in_words(outbox.changes.all()[-1]).startswith("account_code 1210 → 1220 of UKTRADE, *, GBP, BANK")
    approve(settings, outbox, key, by="ann")
    rows = [row for row in read_file(settings.config_dir, "accounts.csv").rows if BANK.items() <= row.items()]
    assert [row["account_code"] for row in rows] == ["1200", "1220"]


def test_every_other_byte_of_a_file_stays(settings: Settings) -> None:
    path = settings.config_dir / "carriers.csv"
    text = '\ufeffa,b,c\r\n\r\n"x,1","two\r\nlines",3\r\n4,5,6'
    path.write_bytes(text.encode())
    file = read_file(settings.config_dir, "carriers.csv")
    assert file.rows == [{"a": "x,1", "b": "two\r\nlines", "c": "3"}, {"a": "4", "b": "5", "c": "6"}]
    changed = file.with_change(file.rows[-1], {"a": "=1", "b": "", "c": 'say "hi"'}).decode()
    assert changed == text.removesuffix("4,5,6") + '=1,,"say ""hi"""\r\n'
    assert file.with_change(None, {"a": "7"}).decode() == text + "\r\n7,,\r\n"
    assert file.with_change(file.rows[-1], None).decode() == text.removesuffix("4,5,6")
    with pytest.raises(FileChanged, match="no longer holds the row"):
        file.with_change({"a": "gone"}, None)


def test_a_change_that_was_written_before_a_crash_is_approved_without_a_second_row(
    settings: Settings, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = add(settings, outbox)

    def dies(*_fields: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Changes, "_move", dies)
        with pytest.raises(KeyboardInterrupt):
            approve(settings, outbox, key, by="ann")
    assert outbox.changes.all()[0]["state"] == "PROPOSED"
    assert "holds it already" in approve(settings, outbox, key, by="ann")
    assert len(read_file(settings.config_dir, "item_map.csv").rows) == 1


def test_nothing_is_written_under_a_running_lane_or_into_the_defaults(
    settings: Settings, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config_changes, "LANE_WAIT_SECONDS", 0.05)
    key = add(settings, outbox)
    settings.locks_dir.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.locks_dir / "lane.lock"), pytest.raises(ChangeRefused, match="a lane is running"):
        approve(settings, outbox, key, by="ann")
    defaults = settings.model_copy(update={"config_dir": DEFAULT_CONFIG_DIR})
    with pytest.raises(ChangeRefused, match="tieout init"):
        add(defaults, outbox)
