"""A folder of an older version gets what it lacks, and keeps every byte of what it has."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from orchestration.first_day.upgrading import additions
from orchestration.lib.registry import check_registry
from orchestration.lib.settings import DEFAULT_CONFIG_DIR


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(DEFAULT_CONFIG_DIR, tmp_path / "config")
    return tmp_path / "config"


def rewritten(path: Path, *, without_column: str = "", without_rows: str = "") -> list[dict[str, str]]:
    """The rows that were left, as an older version had them, with Windows line ends."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if not without_rows or without_rows not in row.values()]
    heading = [column for column in rows[0] if column != without_column]
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, heading, extrasaction="ignore", lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(rows)
    return rows


def upgraded(folder: Path) -> None:
    for addition in additions(folder, DEFAULT_CONFIG_DIR):
        (folder / addition.file).write_bytes(addition.content)


def test_a_folder_of_this_version_lacks_nothing(folder: Path) -> None:
    assert additions(folder, DEFAULT_CONFIG_DIR) == []


def test_columns_come_with_tieouts_own_values_and_new_codes_are_added(folder: Path) -> None:
    path = folder / "exception_codes.csv"
    rewritten(path, without_column="write_off_account", without_rows="SET-001")
    before = path.read_bytes()
    (found,) = additions(folder, DEFAULT_CONFIG_DIR)
    assert (found.columns, found.rows) == (("write_off_account",), ("SET-001",))
    assert check_registry(folder)[0] is None, "without the column nothing runs"
    upgraded(folder)
    assert additions(folder, DEFAULT_CONFIG_DIR) == []
    assert not [error for error in check_registry(folder)[1] if error.is_blocking]
    lines = path.read_bytes().splitlines(keepends=True)
    assert all(
        new.startswith(old.rstrip(b"\r\n") + b",") for old, new in zip(before.splitlines(True), lines, strict=False)
    )
    assert all(line.endswith(b"\r\n") for line in lines)
    with path.open(newline="", encoding="utf-8-sig") as file:
        codes = {row["exception_code"]: row for row in csv.DictReader(file)}
    with (DEFAULT_CONFIG_DIR / "exception_codes.csv").open(newline="", encoding="utf-8") as file:
        assert {row["exception_code"]: row["write_off_account"] for row in csv.DictReader(file)} == {
            code: row["write_off_account"] for code, row in codes.items()
        }


def test_a_companys_rows_are_its_own(folder: Path) -> None:
    rewritten(folder / "accounts.csv", without_rows="REVENUE")
    rewritten(folder / "transaction_types.csv", without_rows="COMMISSION_FEE")
    (found,) = additions(folder, DEFAULT_CONFIG_DIR)
    assert found.file == "transaction_types.csv"
    assert "COMMISSION_FEE" in [row.split()[0] for row in found.rows]


def test_a_companys_rows_get_what_may_not_be_empty_and_no_more(folder: Path) -> None:
    rewritten(folder / "refund_rules.csv", without_column="credit_notes")
    rewritten(folder / "offer_rules.csv", without_column="when_discontinued")
    upgraded(folder)
    assert not [error for error in check_registry(folder)[1] if error.is_blocking]
    with (folder / "refund_rules.csv").open(newline="", encoding="utf-8-sig") as file:
        assert {row["credit_notes"] for row in csv.DictReader(file)} == {"DUE"}
    with (folder / "offer_rules.csv").open(newline="", encoding="utf-8-sig") as file:
        assert {row["when_discontinued"] for row in csv.DictReader(file)} == {""}, (
            "nobody decided that it closes offers"
        )


def test_a_new_file_comes_without_the_rows_of_the_worked_example(folder: Path) -> None:
    (folder / "stock_rules.csv").unlink()
    (folder / "stock_classes.csv").unlink()
    upgraded(folder)
    assert (folder / "stock_classes.csv").read_bytes() == (DEFAULT_CONFIG_DIR / "stock_classes.csv").read_bytes()
    with (folder / "stock_rules.csv").open(newline="", encoding="utf-8") as file:
        assert {row["marketplace_code"] for row in csv.DictReader(file)} <= {"*"}
    assert not [error for error in check_registry(folder)[1] if error.is_blocking]


def test_a_cell_over_two_lines_is_widened_at_its_end(folder: Path) -> None:
    path = folder / "stock_classes.csv"
    default = path.read_text(encoding="utf-8").splitlines()
    heading = default[0].split(",")
    path.write_text(",".join(heading[:-1]) + '\nFAST,"two\nlines"' + "," * (len(heading) - 3) + "\n", encoding="utf-8")
    (found,) = additions(folder, DEFAULT_CONFIG_DIR)
    rows = list(csv.DictReader(found.content.decode().splitlines(keepends=True)))
    assert [(len(row), row[heading[1]]) for row in rows] == [(len(heading), "two\nlines")]
