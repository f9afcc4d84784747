"""An id leads to the file and the record of the vendor's answer, and a file that was touched is named."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
import zstandard

from orchestration.lib import evidence_index
from orchestration.lib.evidence import evidence_of, problem_of
from orchestration.lib.evidence_index import EvidenceIndex, shown
from orchestration.lib.landed_charts import landed_charts
from orchestration.lib.landing_files import LandingFiles
from orchestration.lib.settings import Settings

FILE = "landing/mirakl/SHOP/shipments/2026-07-03/0000000001-000001.json.zst"
BODY = b'{"data": [%b]}' % b", ".join(b'{"id": "S-%d", "order_id": "O-%d"}' % (n, n) for n in range(10))
CODE = b'"nominal_account_type": "X", "account_status_type": "AccountStatusActive", "id": 1, '
POINTER = "_account varchar, _file varchar, _position bigint, _fetched_at timestamp"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return with_evidence(Settings(data_dir=tmp_path))


def with_evidence(made: Settings) -> Settings:
    """A warehouse with a pointer into one landed file for orders O-1 and O-2, and for two bank entries."""
    with duckdb.connect(str(made.warehouse_path)) as connection:
        connection.execute("create schema raw")
        connection.execute(
            "create table raw.landing_files (path varchar, vendor varchar, account varchar, entity varchar, "
            "sha256 varchar, landed_at timestamp)"
        )
        connection.execute("create table raw.loaded_files (path varchar, loaded_at timestamp)")
        file = [FILE, "mirakl", "SHOP", "shipments", hashlib.sha256(BODY).hexdigest()]
        connection.execute("insert into raw.landing_files values (?, ?, ?, ?, ?, '2026-07-03 08:00')", file)
        connection.execute("insert into raw.loaded_files values (?, '2026-07-03 08:01')", [FILE])
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


def placed(settings: Settings, *ids: str) -> list[tuple[str, int, str]]:
    index = EvidenceIndex(settings.evidence_index_path)
    try:
        return [(one.account, one.position, one.named) for one in index.places(ids)]
    finally:
        index.close()


def test_the_index_tells_file_and_record_and_grows_by_what_is_new(settings: Settings) -> None:
    with pytest.raises(FileNotFoundError):
        EvidenceIndex(settings.evidence_index_path)
    assert evidence_index.update(settings) == 1
    assert evidence_index.update(settings) == 0
    assert placed(settings, "O-1") == [("SHOP", 4, "order_id"), ("SHOP", 9, "order_id")]
    assert placed(settings, "O-2", "nothing") == [("SHOP", 5, "order_id")]
    assert placed(settings, "BARC-R-7") == []  # the file is the shop's, not the bank account's
    assert placed(settings, "R-7") == [("SHOP", 0, "entry_reference"), ("SHOP", 1, "entry_reference")]
    later = FILE.replace("0000000001-", "0000000002-")
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute(
            "insert into raw.landing_files values (?, 'bank', 'BARC', 'statements', null, '2026-07-04')", [later]
        )
        connection.execute("insert into raw.loaded_files values (?, '2026-07-04')", [later])
        connection.execute("insert into raw.entries values ('BARC', ?, 7, '2026-07-04', 'R-7', '1')", [later])
    settings.warehouse_path.with_suffix(".seal").unlink()
    assert evidence_index.update(settings) == 1
    assert placed(settings, "BARC-R-7") == [("BARC", 7, "entry_reference")]
    assert placed(settings, "O-2") == [("SHOP", 5, "order_id")]


def test_an_index_of_another_version_of_duckdb_is_made_anew(settings: Settings) -> None:
    evidence_index.update(settings)
    with duckdb.connect(str(settings.evidence_index_path)) as connection:
        connection.execute("update made_by set version = 'v0'")
        connection.execute("delete from records")
    assert evidence_index.update(settings) == 1
    assert placed(settings, "O-2") == [("SHOP", 5, "order_id")]


def test_a_record_is_shown_as_it_came_unless_its_file_was_touched_or_holds_people(settings: Settings) -> None:
    evidence_index.update(settings)
    index = EvidenceIndex(settings.evidence_index_path)
    (place,) = index.places(["O-2"])
    index.close()
    assert '"id": "S-5"' in shown(settings, place).text
    people = replace(place, entity="threads")
    assert shown(settings, people).text == ""
    assert "people" in shown(settings, people).why_not
    LandingFiles(settings.landing).write(FILE, zstandard.compress(BODY.replace(b"S-5", b"S-6")))
    touched = shown(settings, place)
    assert (touched.text, touched.problem) == ("", "is not as it was landed")


def test_the_chart_of_an_erp_is_read_from_its_evidence_and_names_an_account_for_a_role(settings: Settings) -> None:
    assert landed_charts(settings)("SAGE_UK") == ()
    pages = {
        "0000000001-000001": b'[{"reference": "7901", "name": "Bank fees"}, {"reference": "1", "name": "Old"}]',
        "0000000007-000001": b'[{"reference": "7901", "name": "Bank charges"}]',
    }
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        for number, body in pages.items():
            path = f"landing/sage200/SAGE_UK/nominal_codes/2026-07-03/{number}.json.zst"
            LandingFiles(settings.landing).write(path, zstandard.compress(body.replace(b'"name"', CODE + b'"name"')))
            file = [path, "sage200", "SAGE_UK", "nominal_codes"]
            connection.execute("insert into raw.landing_files values (?, ?, ?, ?, null, '2026-07-03')", file)
            connection.execute("insert into raw.loaded_files values (?, '2026-07-03')", [path])
    evidence_index.update(settings)
    chart = landed_charts(settings)("SAGE_UK")
    assert [(one.code, one.name) for one in chart] == [("7901", "Bank charges"), ("1", "Old")]
    assert landed_charts(settings)("NO_SUCH_ERP") == ()
