"""What an ERP from elsewhere may call itself and bring along, and what is said about one that cannot work."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.erps import ErpVendor
from connectors.records import FeedSpec, TableSpec
from orchestration.lib.configuration import Erp

HERE = Path(__file__).resolve().parent
LEDGER = ErpVendor(
    name="tinybooks",
    feeds={},
    connect=lambda company: None,  # type: ignore[arg-type,return-value]
    deliveries=lambda connector: {},
    dbt_models=HERE / "csvledger" / "models",
    ledger_models=("erp_postings",),
)


def feed(vendor: str, table: str) -> dict[str, FeedSpec]:
    return {"postings": FeedSpec(vendor, "postings", "snapshot", (TableSpec(table, ()),), ("id",), None, None)}  # type: ignore[arg-type]


def test_a_good_registration_has_no_problem() -> None:
    assert replace(LEDGER, feeds=feed("tinybooks", "tinybooks_postings")).problem() is None


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (replace(LEDGER, name="sage200"), "is taken"),
        (replace(LEDGER, name="Tiny Books"), "lower-case letters"),
        (replace(LEDGER, ledger_models=("postings",)), "there is no ledger model postings"),
        (replace(LEDGER, feeds=feed("otherbooks", "otherbooks_postings")), "name another vendor"),
        (replace(LEDGER, feeds=feed("tinybooks", "sage200_banks")), "do not begin with tinybooks_"),
        (replace(LEDGER, dbt_models=HERE), "has no folders staging and ledger"),
    ],
)
def test_a_registration_that_cannot_work_says_why(wrong: ErpVendor, words: str) -> None:
    assert words in (wrong.problem() or "")


def test_the_start_names_the_distribution_that_is_at_fault(tmp_path: Path) -> None:
    installed = tmp_path / "bad-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: bad\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[tieout.erps]\nbad = json:dumps\n")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import connectors.feeds"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "the ERP bad (json:dumps) cannot be used: it is not an ErpVendor" in done.stderr


def test_a_vendor_that_nobody_registered_is_refused_with_those_that_are_known() -> None:
    cells = {"erp_code": "X", "vendor": "tinybooks", "entity_code": "E", "timeout_seconds": "60", "is_enabled": "true"}
    empty = dict.fromkeys(
        ("base_url", "token_url", "site_id", "company_id", "account_id", "auth_method", "subsidiary_id")
    )
    with pytest.raises(ValueError, match="not an ERP that is known here: sage200, netsuite"):
        Erp.model_validate({**empty, **cells, "line": 2})
    known = Erp.model_validate({**empty, **cells, "vendor": "netsuite", "line": 2, "folder": "ledger"})
    assert known.cells()["folder"] == "ledger"
