"""What `tieout doctor` tells about an installation with a company in each ERP."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.lib.configuration import Account, TaxCode
from orchestration.lib.registry import read_rows
from tests.pipeline.site import Site

pytestmark = pytest.mark.pipeline


def test_doctor_tells_edition_settings_permissions_and_open_periods_of_both_erps(finished: Site) -> None:
    report = finished.tieout_json("doctor", expect=None)  # a gap between statements is planted
    findings = {row["check"]: row for row in report["findings"]}
    assert {name.split("/")[0] for name, row in findings.items() if row["result"] == "fail"} <= {"bank"}

    netsuite = {name.partition(" ")[2]: row for name, row in findings.items() if name.startswith("netsuite/NS_HOME ")}
    assert netsuite["sign-in"]["detail"] == ("account 1234567_SB1, whose clock shows 2026-07-03 01:00:00 (UTC-07:00)")
    assert netsuite["books"]["detail"].startswith("OneWorld, 4 subsidiaries; 2 accounting books")
    assert netsuite["company"]["detail"].startswith("subsidiary 2 ")
    assert netsuite["concurrent requests"]["detail"] == "4 used, 5 allowed"
    assert netsuite["taxes"]["detail"].startswith("legacy tax codes")
    assert " to " in netsuite["open periods"]["detail"]
    assert netsuite["journals that wait for approval"]["result"] == "warn"
    assert netsuite["gl_lines (transactionaccountingline)"]["detail"] == "may be read"

    assert "SELECT permkey" in netsuite["rights that cannot be asked for"]["detail"]
    assert netsuite["rights that are not needed"]["result"] == "ok"

    sage = {name.partition(" ")[2]: row for name, row in findings.items() if name.startswith("sage200/SAGE_UK ")}
    assert sage["edition and modules"]["result"] == "ok"
    assert "periods are open" in sage["open periods"]["detail"]
    assert any(name.startswith("settings") for name in sage)
    assert "read /suppliers" in sage["rights that are not needed"]["detail"]
    assert findings["mirakl/BRICO rights that are missing"]["result"] == "ok"


def test_the_audit_finds_what_is_wrong_with_the_set_up_of_the_world(finished: Site) -> None:
    report = finished.tieout_json("audit", "systems")
    found = {(row["check"], row["subject"]) for row in report["findings"]}
    assert report["skipped"] == []
    assert {
        ("STO-1", "BRICO OVERFLOW"),
        ("STO-1", "HOMELY OVERFLOW"),
        ("MAP-1", "BRICO SELLER_ECO_CONTRIBUTION_FEE"),
        ("VAT-1", "BRICO NOR"),
        ("SCH-1", "bank/BARC_DEP statements"),
        ("SCH-3", "orders"),
        ("PER-2", "JOURNAL *"),
    } <= found
    assert {"MAP-2", "OFF-1", "VAT-2", "VAT-4", "HIS-1", "PER-1"} <= {check for check, _ in found}
    assert not {"CFG-1", "CFG-3", "CFG-4", "STO-2", "STO-3", "VAT-3", "PER-3"} & {check for check, _ in found}


def test_the_charts_of_both_erps_propose_the_maps_that_hold(finished: Site, tmp_path: Path) -> None:
    report = finished.tieout_json("init", str(tmp_path / "proposed"), "--propose")
    wrong = {
        (row["erp_code"], row["role"]): (row["code"], row["configured"])
        for row in report["proposals"]
        if row["code"] is not None and row["configured"] is not None and row["code"] != row["configured"]
    }
    assert wrong == {}
    accounts, taxes = read_rows(tmp_path / "proposed", Account), read_rows(tmp_path / "proposed", TaxCode)
    assert {row.entity_code for row in accounts} == {row.entity_code for row in taxes} == {"UKTRADE", "NORTHHOME"}
    assert len(accounts) > 60
