"""An id leads to the file and the record of the vendor's answer, and a file that was touched is named."""

from __future__ import annotations

import hashlib
from pathlib import Path

import duckdb
import pytest
import zstandard

from orchestration.lib.evidence import evidence_of, problem_of
from orchestration.lib.landing_files import LandingFiles
from orchestration.lib.settings import Settings

FILE = "landing/vendor/SHOP/orders/2026-07-03/0000000001-000001.json.zst"
BODY = b'{"orders": []}'
POINTER = "_account varchar, _file varchar, _position bigint, _fetched_at timestamp"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(data_dir=tmp_path)
    with duckdb.connect(str(made.warehouse_path)) as connection:
        connection.execute("create schema raw")
        connection.execute("create table raw.landing_files (path varchar, sha256 varchar)")
        connection.execute("insert into raw.landing_files values (?, ?)", [FILE, hashlib.sha256(BODY).hexdigest()])
        connection.execute(f"create table raw.orders ({POINTER}, order_id varchar, parent_id varchar, memo varchar)")
        connection.execute(f"create table raw.entries ({POINTER}, entry_reference varchar, amount varchar)")
        connection.execute("create table raw.notes (order_id varchar)")
        at = "2026-07-03 08:00"
        rows = [
            ("SHOP", FILE, 4, at, "O-1", "O-1", "O-1"),
            ("SHOP", FILE, 5, at, "O-2", None, "O-1"),
            ("SHOP", FILE, 9, "2026-07-04", "O-1", None, None),
        ]
        connection.executemany("insert into raw.orders values (?, ?, ?, ?, ?, ?, ?)", rows)
        entries = [("BARC", FILE, 0, at, "R-7", "1"), ("OTHER", FILE, 1, at, "R-7", "1")]
        connection.executemany("insert into raw.entries values (?, ?, ?, ?, ?, ?)", entries)
    LandingFiles(made.landing).write(FILE, zstandard.compress(BODY))
    return made


def test_every_record_that_names_the_id_is_found_once_newest_first(settings: Settings) -> None:
    found = evidence_of(settings, "O-1")
    assert [(one.table, one.column, one.file, one.position) for one in found] == [
        ("orders", "order_id", FILE, 9),
        ("orders", "order_id, parent_id", FILE, 4),
    ]
    assert len(evidence_of(settings, "O-1", limit=1)) == 1
    assert evidence_of(settings, "O") == []
    assert evidence_of(settings, "' or true --") == []


def test_a_receipt_is_found_under_its_bank_account_only(settings: Settings) -> None:
    (found,) = evidence_of(settings, "BARC-R-7")
    assert (found.account, found.column, found.position) == ("BARC", "entry_reference", 0)


def test_a_file_that_is_not_as_it_was_landed_is_named(settings: Settings) -> None:
    (found,) = evidence_of(settings, "O-2")
    assert problem_of(settings, found) is None
    (settings.root / FILE).unlink()
    assert problem_of(settings, found) == "is missing"
