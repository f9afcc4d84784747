"""Every command on a real data folder: what it prints, that --json parses, and the exit code scripts rely on."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa

from orchestration.cli.commands.exceptions import due_in_words
from orchestration.cli.output import json_ready
from orchestration.lib.published import Published
from orchestration.lib.registry import check_registry
from orchestration.lib.settings import DEFAULT_CONFIG_DIR, Settings
from orchestration.outbox import Outbox
from orchestration.outbox.database import WRITE

from .conftest import Run
from .marts import SETTLEMENT_KEY

SETTLEMENT = f"JOURNAL|BRICO|{SETTLEMENT_KEY}|1"


class TestClaims:
    @pytest.fixture(autouse=True)
    def _published(self, published: Path) -> None:
        """Every test of this class reads the published marts."""

    def test_packs_add_up_to_their_items(self, run_json: Callable[..., Any]) -> None:
        packs = {row["claim_pack_id"]: row for row in run_json("claims")["packs"]}
        assert packs.keys() == {"BRICO-2026-04-COMMISSION", "BRICO-2026-04-CANCELLED_SALE"}
        commission = packs["BRICO-2026-04-COMMISSION"]
        assert (commission["item_count"], commission["claim_amount"], commission["claim_tax_amount"]) == (
            2,
            "2.04",
            "0.41",
        )
        assert (commission["first_date"], commission["last_date"]) == ("2026-04-10", "2026-04-20")
        assert packs["BRICO-2026-04-CANCELLED_SALE"]["owed_to"] == "OPERATOR"

    def test_a_pack_lists_its_items_with_the_rule(self, run: Run) -> None:
        output = run("claims", "--pack", "BRICO-2026-04-COMMISSION").stdout
        assert "12.00 % of price" in output
        assert "O-2-1" not in output
        assert run("claims", "--pack", "NOWHERE").exit_code == 2

    def test_a_file_per_pack_without_formulas(self, run: Run, tmp_path: Path) -> None:
        run("claims", "--kind", "commission", "--out", str(tmp_path / "packs"))
        (file,) = (tmp_path / "packs").iterdir()
        rows = list(csv.DictReader(file.open(encoding="utf-8", newline="")))
        assert [row["claim_amount"] for row in rows] == ["2.00", "0.04"]
        assert [row["document_number"] for row in rows] == ["'=1+1", "9010"]


class TestSql:
    @pytest.fixture(autouse=True)
    def _published(self, published: Path) -> None:
        """Every test of this class reads the published marts."""

    def test_a_query_needs_no_schema_and_money_stays_exact(self, run_json: Callable[..., Any]) -> None:
        answer = run_json("sql", "select billing_cycle_id, net_amount, cycle_date from fct_cycles order by 1")
        assert answer == {
            "columns": ["billing_cycle_id", "net_amount", "cycle_date"],
            "rows": [
                {"billing_cycle_id": "C-1", "net_amount": "79.10", "cycle_date": "2026-04-11"},
                {"billing_cycle_id": "C-2", "net_amount": "8.20", "cycle_date": "2026-04-21"},
            ],
            "is_truncated": False,
        }

    def test_the_schema_may_be_named(self, run_json: Callable[..., Any]) -> None:
        assert run_json("sql", "select count(*) as n from marts.fct_orders")["rows"] == [{"n": 2}]

    def test_a_table_for_people(self, run: Run) -> None:
        output = run("sql", "select order_id, total_amount from fct_orders order by 1").stdout
        assert "155.00" in output
        assert "2 rows" in output

    def test_the_limit_is_said(self, run: Run, run_json: Callable[..., Any]) -> None:
        assert "there are more" in run("sql", "select * from fct_settlement_lines", "-n", "3").stdout
        answer = run_json("sql", "select transaction_line_id from fct_settlement_lines", "-n", "3")
        assert (len(answer["rows"]), answer["is_truncated"]) == (3, True)
        assert len(run_json("sql", "select transaction_line_id from fct_settlement_lines", "-n", "0")["rows"]) == 16

    def test_csv_has_every_row(self, run: Run) -> None:
        output = run("sql", "select transaction_line_id, amount from fct_settlement_lines", "--csv", "-n", "3").stdout
        rows = list(csv.DictReader(io.StringIO(output)))
        assert len(rows) == 16
        assert sum(Decimal(row["amount"]) for row in rows) == Decimal("8.20"), "79.10 − 79.10 paid + 8.20"

    def test_a_csv_of_a_query_holds_no_formulas(self, run: Run) -> None:
        output = run("sql", "select '=1+1' as a, '-x' as b, -1.50::decimal(9, 2) as c, 'plain' as d", "--csv").stdout
        assert output.splitlines()[1] == "'=1+1,'-x,-1.50,plain"

    def test_the_query_may_come_from_standard_input(self, run: Run) -> None:
        assert json.loads(run("sql", "-", "--json", input="select 1 as one").stdout)["rows"] == [{"one": 1}]

    @pytest.mark.parametrize(
        "query",
        [
            "delete from fct_orders",
            "create table mine as select 1",
            "copy fct_orders to 'stolen.csv'",
            "select * from read_csv('/etc/passwd')",
            "attach 'other.duckdb'",
            "set enable_external_access = true",
        ],
    )
    def test_nothing_can_be_changed_and_nothing_else_reached(self, run: Run, published: Path, query: str) -> None:
        before = published.read_bytes()
        result = run("sql", query)
        assert result.exit_code == 1, result.output
        assert result.stderr.startswith("error: ")
        assert "Traceback" not in result.output
        assert published.read_bytes() == before
        assert list(Path.cwd().glob("*.csv")) == []

    def test_a_wrong_name_is_explained_without_a_traceback(self, run: Run, run_json: Callable[..., Any]) -> None:
        result = run("sql", "select nope from fct_orders")
        assert result.exit_code == 1
        assert "nope" in result.stderr
        assert "show all tables" in result.stderr
        assert "nope" in run_json("sql", "select nope from fct_orders", code=1)["error"]["messages"][0]

    def test_two_columns_of_one_name_are_both_shown(self, run_json: Callable[..., Any]) -> None:
        assert run_json("sql", "select 1 as a, 2 as a")["rows"] == [{"a": 1, "a_2": 2}]


class TestExceptions:
    @pytest.fixture(autouse=True)
    def _published(self, published: Path) -> None:
        """Every test of this class reads the published marts."""

    @pytest.mark.parametrize(
        ("options", "codes"),
        [
            ([], ["BNK-001", "ORD-001"]),
            (["--status", "ALL"], ["BNK-001", "ORD-001", "SET-004", "BNK-002"]),
            (["--status", "resolved"], ["SET-004"]),
            (["--code", "bnk"], ["BNK-001"]),
            (["--code", "BNK-002", "--status", "ALL"], ["BNK-002"]),
            (["--owner", "operations"], ["ORD-001"]),
            (["--marketplace", "OTHER"], []),
            (["--severity", "S1"], ["BNK-001"]),
            (["--limit", "1"], ["BNK-001"]),
        ],
    )
    def test_filters(self, run_json: Callable[..., Any], options: list[str], codes: list[str]) -> None:
        assert [row["exception_code"] for row in run_json("exceptions", *options)["exceptions"]] == codes

    def test_people_see_amount_owner_and_what_next(self, run: Run) -> None:
        output = run("exceptions").stdout
        for word in ("BNK-001", "PAYOUT C-2", "8.20", "FINANCE", "2 exceptions", "tieout explain"):
            assert word in output
        summary = run("exceptions", "--summary").stdout
        assert "Check state and bank details; chase" in summary

    def test_the_summary_adds_up_per_code(self, run_json: Callable[..., Any]) -> None:
        by_code = run_json("exceptions", "--summary", "--status", "ALL")["by_code"]
        assert {row["exception_code"]: (row["count"], row["amount_at_risk"]) for row in by_code}["BNK-001"] == (
            1,
            "8.20",
        )

    @pytest.mark.parametrize(("fail_on", "code"), [("S1", 3), ("S4", 3), ("s2", 3)])
    def test_fail_on_ends_with_3(self, run_json: Callable[..., Any], fail_on: str, code: int) -> None:
        assert run_json("exceptions", "--fail-on", fail_on, code=code)["count"] == 2
        assert run_json("status", "--fail-on", fail_on, code=code)["exceptions"]

    def test_fail_on_looks_at_open_ones_only_whatever_is_listed(
        self, run_json: Callable[..., Any], published: Path
    ) -> None:
        from . import marts

        published.unlink()
        done = [row | {"status": "RESOLVED"} for row in marts.ROWS["exceptions"]]
        marts.build(published, {"exceptions": done})
        assert run_json("exceptions", "--status", "ALL", "--fail-on", "S4")["count"] == 4

    def test_a_severity_that_does_not_exist_is_wrong_usage(self, run: Run) -> None:
        result = run("exceptions", "--fail-on", "HIGH")
        assert result.exit_code == 2
        assert "S1, S2, S3, S4" in result.stderr


class TestActions:
    @pytest.fixture(autouse=True)
    def _outbox(self, outbox: Outbox) -> None:
        """Every test of this class has three proposals."""

    def test_the_list_and_its_filters(self, run: Run, run_json: Callable[..., Any]) -> None:
        assert run_json("actions")["count"] == 3
        assert [row["natural_id"] for row in run_json("actions", "--kind", "stock")["actions"]] == ["DRILL-1"]
        assert run_json("actions", "--state", "verified")["count"] == 0
        assert run_json("actions", "-s", "PROPOSED", "-s", "SENT", "-n", "1")["is_truncated"] is True
        assert run_json("actions", "-k", "STOCK")["actions"][0]["payload"] == {"shop_sku": "DRILL-1", "quantity": 4}
        output = run("actions").stdout
        assert "155.00" in output
        assert "3 PROPOSED" in output

    def test_one_action_with_its_history(self, run: Run, run_json: Callable[..., Any]) -> None:
        one = run_json("actions", "to1111111111111111")
        assert (one["action_key"], one["amount"]) == (SETTLEMENT, "155.00")
        assert [entry["to_state"] for entry in one["history"]] == ["PROPOSED"]
        assert "the cycle is settled" in run("actions", SETTLEMENT).stdout

    def test_a_state_that_does_not_exist_is_wrong_usage(self, run: Run) -> None:
        result = run("actions", "--state", "DONE")
        assert result.exit_code == 2
        assert "PROPOSED, APPROVED" in result.stderr

    def test_approve_and_reject_are_signed_with_the_system_user_or_by(
        self, run: Run, run_json: Callable[..., Any]
    ) -> None:
        assert run_json("approve", SETTLEMENT, "--reason", "checked") == {"approved": [SETTLEMENT]}
        assert run_json("reject", "STOCK|BRICO|DRILL-1|1", "--reason", "stock take", "--by", "bert") == {
            "rejected": ["STOCK|BRICO|DRILL-1|1"]
        }
        signed = run_json("actions", SETTLEMENT)["history"][-1]
        assert (signed["actor"], signed["channel"], signed["why"]) == ("anna", "cli:anna", "checked")
        assert run_json("actions", "STOCK|BRICO|DRILL-1|1")["decided_by"] == "bert"
        assert "anna" in run("audit", "log").stdout

    def test_approving_everything_of_a_kind(self, run_json: Callable[..., Any]) -> None:
        assert len(run_json("approve", "--all", "--kind", "JOURNAL")["approved"]) == 2
        assert run_json("actions", "--state", "PROPOSED")["count"] == 1
        assert run_json("approve", "--all", "--kind", "JOURNAL")["approved"] == []

    def test_approving_what_mends_one_root_cause(self, run_json: Callable[..., Any], published: Path) -> None:
        with duckdb.connect(str(published)) as connection:
            connection.execute("update marts.exceptions set subject_id = 'DRILL-1' where exception_code = 'ORD-001'")
        assert [row["natural_id"] for row in run_json("actions", "--cause", "sync")["actions"]] == ["DRILL-1"]
        assert run_json("approve", "--all", "--cause", "COUNTERPARTY")["approved"] == []
        assert run_json("approve", "--all", "--cause", "SYNC", "--code", "ORD")["approved"] == ["STOCK|BRICO|DRILL-1|1"]
        assert run_json("actions", "--state", "PROPOSED")["count"] == 2

    @pytest.mark.parametrize(
        "arguments", [["approve"], ["approve", "K", "--all"], ["approve", "K", "--cause", "SYNC"], ["reject", "K"]]
    )
    def test_wrong_usage_ends_with_2(self, run: Run, arguments: list[str]) -> None:
        assert run(*arguments).exit_code == 2

    def test_a_refused_decision_says_why(self, run: Run, run_json: Callable[..., Any]) -> None:
        result = run("approve", SETTLEMENT, "--by", "tieout")
        assert result.exit_code == 1
        assert "under their own name" in result.stderr
        assert "no action has the key" in run_json("approve", "nope", code=1)["error"]["messages"][0]
        run("approve", SETTLEMENT)
        assert "is APPROVED and cannot become APPROVED" in run("approve", SETTLEMENT).stderr


class TestAudit:
    def test_an_honest_trail_holds(self, run: Run, run_json: Callable[..., Any], outbox: Outbox) -> None:
        report = run_json("audit", "verify")
        assert (report["ok"], report["entries"], report["actions"]) == (True, 3, 3)
        assert "holds" in run("audit", "verify", "--expect", report["head"]).stdout
        assert run_json("audit", "verify", "--expect", "f" * 64, code=1)["ok"] is False
        assert [entry["sequence"] for entry in run_json("audit", "log", "-n", "2")["entries"]] == [2, 3]

    def test_tampering_ends_with_1(self, run: Run, outbox: Outbox) -> None:
        with outbox.engine.connect().execution_options(**{WRITE: True}) as connection, connection.begin():
            connection.execute(
                sa.text("UPDATE outbox_actions SET amount = '9.99' WHERE wire_key = 'TO1111111111111111'")
            )
        result = run("audit", "verify")
        assert result.exit_code == 1
        assert "was changed outside the outbox: amount" in result.stdout


class TestStatus:
    def test_an_empty_data_folder_is_no_error(self, run: Run, run_json: Callable[..., Any]) -> None:
        assert run_json("status")["is_published"] is False
        assert "No lane has run yet" in run("status").stdout
        assert not Settings().data_dir.joinpath("outbox.db").exists(), "looking must not create anything"

    def test_everything_on_one_page(
        self, run: Run, run_json: Callable[..., Any], published: Path, outbox: Outbox
    ) -> None:
        from orchestration.outbox import RunStatus

        run_id = outbox.runs.start("settlement")
        outbox.runs.finish(
            run_id, RunStatus.PARTIAL, {"records_landed": 16, "problems": ["extract mirakl/BRICO: no answer"]}
        )
        report = run_json("status")
        assert [(r["lane"], r["status"]) for r in report["runs"]] == [("settlement", "PARTIAL")]
        assert {(r["severity"], r["count"], r["overdue"]) for r in report["exceptions"]} == {("S1", 1, 1), ("S2", 1, 0)}
        assert {(r["kind"], r["state"], r["count"]) for r in report["outbox"]} == {
            ("JOURNAL", "PROPOSED", 2),
            ("STOCK", "PROPOSED", 1),
        }
        output = run("status").stdout
        for words in ("PARTIAL", "no answer", "stale", "1 of 2 control totals balance", "AMOUNTS", "Write-back is off"):
            assert words in output
        assert [row["level_code"] for row in report["not_proved"]] == ["e"]
        assert "1 feed(s) too old" in output


class TestInit:
    def test_a_copy_that_is_complete_documented_and_valid(
        self, run: Run, run_json: Callable[..., Any], tmp_path: Path
    ) -> None:
        target = tmp_path / "config"
        files = run_json("init", str(target))["files"]
        names = sorted(path.name for path in DEFAULT_CONFIG_DIR.glob("*.csv"))
        assert sorted(files) == sorted([*names, "README.md", "env.example"])
        for name in names:
            assert (target / name).read_bytes() == (DEFAULT_CONFIG_DIR / name).read_bytes()
            assert f"## {name}" in (target / "README.md").read_text()
        registry, errors = check_registry(target)
        assert registry is not None
        assert [error for error in errors if error.is_blocking] == []

    def test_every_column_is_described(self, run: Run, tmp_path: Path) -> None:
        run("init", str(tmp_path / "config"))
        bare = [
            text
            for text in (tmp_path / "config" / "README.md").read_text().splitlines()
            if text.startswith("- ") and text.endswith("`: ")
        ]
        assert bare == []

    def test_the_environment_example_names_every_secret_and_holds_none(self, run: Run, tmp_path: Path) -> None:
        run("init", str(tmp_path / "config"))
        lines = (tmp_path / "config" / "env.example").read_text().splitlines()
        values = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
        assert values["TIEOUT_WRITE_BACK"] == "off"
        secrets = {name: value for name, value in values.items() if not name.startswith("TIEOUT_")}
        assert set(secrets) == {
            "MIRAKL_BRICO_API_KEY",
            "MIRAKL_HOMELY_API_KEY",
            "MIRAKL_PLAZA_CLIENT_ID",
            "MIRAKL_PLAZA_CLIENT_SECRET",
            "NETSUITE_NS_HOME_CERTIFICATE_ID",
            "NETSUITE_NS_HOME_CLIENT_ID",
            "NETSUITE_NS_HOME_PRIVATE_KEY",
            "NETSUITE_NS_PLAZA_CERTIFICATE_ID",
            "NETSUITE_NS_PLAZA_CLIENT_ID",
            "NETSUITE_NS_PLAZA_PRIVATE_KEY",
            "SAGE200_SAGE_UK_CLIENT_ID",
            "SAGE200_SAGE_UK_CLIENT_SECRET",
            "SAGE200_SAGE_UK_REFRESH_TOKEN",
        }
        assert set(secrets.values()) == {""}

    def test_nothing_is_overwritten_without_force(self, run: Run, tmp_path: Path) -> None:
        target = tmp_path / "config"
        run("init", str(target))
        (target / "accounts.csv").write_text("mine")
        result = run("init", str(target))
        assert result.exit_code == 1
        assert "--force" in result.stderr
        assert (target / "accounts.csv").read_text() == "mine"
        assert run("init", str(target), "--force").exit_code == 0
        assert (target / "accounts.csv").read_text() != "mine"


class TestDoctor:
    def findings(self, report: Any, result: str) -> dict[str, str]:
        return {row["check"]: row["detail"] for row in report["findings"] if row["result"] == result}

    def test_a_good_set_up_passes_and_says_that_write_back_is_off(
        self, run: Run, run_json: Callable[..., Any], outbox: Outbox
    ) -> None:
        report = run_json("doctor", "--offline")
        assert report["ok"] is True
        assert self.findings(report, "warn").keys() == {"write-back", "clock"}
        assert self.findings(report, "ok").keys() >= {"versions", "data folder", "disk", "outbox", "configuration"}
        assert "to look at, 0 wrong" in run("doctor", "--offline").stdout

    def test_a_missing_column_a_wrong_value_and_a_missing_file_are_named_with_what_to_do(
        self, run: Run, run_json: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run("init", str(tmp_path / "config"))
        monkeypatch.setenv("TIEOUT_CONFIG_DIR", str(tmp_path / "config"))
        tolerances = tmp_path / "config" / "tolerances.csv"
        tolerances.write_text(tolerances.read_text().replace("effective_from", "from", 1))
        entities = tmp_path / "config" / "entities.csv"
        entities.write_text(entities.read_text().replace("Europe/London", "Europe/Londinium"))
        (tmp_path / "config" / "warehouses.csv").unlink()
        report = run_json("doctor", "--offline", code=4)
        wrong = self.findings(report, "fail")
        assert "the column is missing" in wrong["tolerances.csv line 1, effective_from"]
        assert "'Europe/Londinium' is not a time zone" in wrong["entities.csv line 2, time_zone"]
        assert "warehouses.csv" in wrong
        assert all(row["action"] for row in report["findings"] if row["result"] == "fail")

    def test_a_wrong_environment_variable_is_a_configuration_error(
        self, run: Run, run_json: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TIEOUT_AS_OF", "yesterday")
        assert "yesterday" in self.findings(run_json("doctor", code=4), "fail")["environment"]
        assert run("exceptions").exit_code == 4
        assert "TIEOUT_AS_OF" in run("exceptions").stderr

    def test_missing_secrets_are_named_and_end_with_5(self, run_json: Callable[..., Any]) -> None:
        report = run_json("doctor", code=5)
        wrong = {row["check"]: row["detail"] + row["action"] for row in report["findings"] if row["result"] == "fail"}
        assert "MIRAKL_BRICO_API_KEY" in wrong["mirakl/BRICO connect"]
        assert "SAGE200_SAGE_UK_CLIENT_ID" in wrong["sage200/SAGE_UK connect"]

    def test_a_data_folder_that_cannot_be_written_ends_with_1(
        self, run_json: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "file").write_text("not a folder")
        monkeypatch.setenv("TIEOUT_DATA_DIR", str(tmp_path / "file" / "data"))
        report = run_json("doctor", "--offline", code=1)
        assert "data folder" in self.findings(report, "fail")


class TestGlobalOptions:
    @pytest.mark.parametrize("arguments", [["--json", "exceptions"], ["exceptions", "--json"]])
    def test_json_before_or_behind_the_command(self, run: Run, published: Path, arguments: list[str]) -> None:
        assert json.loads(run(*arguments).stdout)["count"] == 2

    @pytest.mark.parametrize(
        "arguments",
        [
            ["status"],
            ["exceptions"],
            ["explain", "O-1"],
            ["actions"],
            ["approve", SETTLEMENT],
            ["reject", SETTLEMENT, "--reason", "no"],
            ["sql", "select 1"],
            ["doctor", "--offline"],
            ["audit", "verify"],
            ["audit", "log"],
            ["init", "config"],
            ["run", "nolane"],
        ],
    )
    def test_every_command_gives_one_json_document(
        self, run: Run, published: Path, outbox: Outbox, arguments: list[str]
    ) -> None:
        result = run("--json", *arguments)
        assert isinstance(json.loads(result.stdout), dict)
        assert result.stderr == ""

    def test_nothing_published_is_said_with_what_to_do(self, run: Run, run_json: Callable[..., Any]) -> None:
        result = run("exceptions")
        assert result.exit_code == 1
        assert "tieout run settlement" in result.stderr
        assert run_json("explain", "x", code=1)["error"]["exit_code"] == 1

    def test_debug_shows_the_traceback(self, run: Run) -> None:
        from orchestration.cli.problems import CliError

        with pytest.raises(CliError):
            run("--debug", "exceptions")

    def test_an_environment_file_is_read_and_the_environment_wins(
        self, run_json: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "environ", os.environ.copy())
        (tmp_path / "mine.env").write_text(
            "# a comment\nTIEOUT_WRITE_BACK=on\nTIEOUT_AS_OF='2030-01-01T00:00:00Z'\nexport OTHER=\"a b\"\n"
        )
        report = run_json("--env-file", str(tmp_path / "mine.env"), "status")
        assert report["write_back"] is True
        assert report["as_of"] == "2026-07-03T08:00:00Z", "TIEOUT_AS_OF was set already"
        assert os.environ["OTHER"] == "a b"

    @pytest.mark.parametrize("named", [True, False])
    def test_the_environment_file_may_be_named_by_variable_or_lie_in_the_working_directory(
        self, run_json: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: bool
    ) -> None:
        monkeypatch.setattr(os, "environ", os.environ.copy())
        file = tmp_path / ("named.env" if named else ".env")
        file.write_text("TIEOUT_WRITE_BACK=on\n")
        if named:
            os.environ["TIEOUT_ENV_FILE"] = str(file)
        assert run_json("status")["write_back"] is True

    @pytest.mark.parametrize("content", [None, "TIEOUT_WRITE_BACK=on\nSECRET_WITHOUT_EQUALS s3cret\n"])
    def test_a_bad_environment_file_is_a_configuration_error_that_shows_no_secret(
        self, run: Run, tmp_path: Path, content: str | None
    ) -> None:
        if content is not None:
            (tmp_path / "bad.env").write_text(content)
        result = run("--env-file", str(tmp_path / "bad.env"), "status")
        assert result.exit_code == 4
        assert ("line 2" if content else "does not exist") in result.stderr
        assert "s3cret" not in result.output

    def test_version_and_help(self, run: Run) -> None:
        assert run("--version").stdout.startswith("tieout ")
        text = run("--help").stdout
        assert "Exit codes: 0 fine" in " ".join(text.split())
        for command in (
            "run",
            "status",
            "exceptions",
            "explain",
            "actions",
            "approve",
            "reject",
            "sql",
            "doctor",
            "init",
            "audit",
        ):
            assert command in text

    def test_an_unknown_command_suggests_one(self, run: Run) -> None:
        result = run("exeptions")
        assert result.exit_code == 2
        assert "exceptions" in result.output


class TestPlugins:
    @pytest.fixture
    def plugin(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
        def install(source: str, points: str) -> None:
            (tmp_path / "tieout_plugin.py").write_text(source)
            info = tmp_path / "tieout_plugin-1.0.dist-info"
            info.mkdir()
            (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tieout-plugin\nVersion: 1.0\n")
            (info / "entry_points.txt").write_text(f"[tieout.commands]\n{points}\n")
            monkeypatch.syspath_prepend(str(tmp_path))

        return install

    def call(self, *arguments: str, path: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "orchestration.cli", *arguments],
            capture_output=True,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(path), str(Path(__file__).parents[2])])},
            timeout=50,
            check=False,
        )

    def test_a_function_of_another_package_is_a_command(
        self, plugin: Callable[[str, str], None], tmp_path: Path
    ) -> None:
        plugin(
            "def hello(name: str = 'you') -> None:\n    '''Say hello.'''\n    print('hello', name)\n",
            "hello = tieout_plugin:hello",
        )
        assert self.call("hello", "--name", "anna", path=tmp_path).stdout == "hello anna\n"
        assert "Say hello." in self.call("--help", path=tmp_path).stdout

    def test_a_broken_plugin_breaks_only_itself(self, plugin: Callable[[str, str], None], tmp_path: Path) -> None:
        plugin("import does_not_exist\n", "broken = tieout_plugin:hello")
        result = self.call("broken", path=tmp_path)
        assert result.returncode == 1
        assert "does_not_exist" in result.stderr
        assert "Traceback" not in result.stderr
        assert self.call("status", path=tmp_path).returncode == 0
        assert self.call("--help", path=tmp_path).returncode == 0


def test_quick_commands_import_neither_dagster_nor_dbt(published: Path) -> None:
    script = (
        "import sys; from orchestration.cli.app import app\n"
        "try: app(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "heavy = {'dagster', 'dbt', 'pandas', 'alembic'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    for arguments in (["explain", "O-1"], ["sql", "select 1"], ["exceptions"], ["status"]):
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=50, check=False
        )
        assert done.returncode == 0, done.stderr


def test_json_keeps_every_digit() -> None:
    assert json_ready({"a": Decimal("0.10"), "b": (Decimal("1E+2"),)}) == {"a": "0.10", "b": ["1E+2"]}


def test_people_decide_from_the_command_line(
    run: Run, run_json: Callable[..., Any], published: Path, outbox: Outbox
) -> None:
    """Accepted by its id, written off by two, listed with what was decided; nothing without a reason."""
    first, second = (row["exception_id"] for row in run_json("exceptions", "--limit", "0")["exceptions"][:2])
    assert run("accept", first).exit_code == 2
    assert run_json("accept", first, "--reason", "agreed with the operator")["state"] == "EFFECTIVE"
    assert "reopen" in run("accept", first, "--reason", "again").output
    assert run_json("reopen", first, "--reason", "not agreed after all")["state"] == "WITHDRAWN"
    written = run_json("write-off", second, "--reason", "too old", "--by", "anna")
    assert written["state"] == "PROPOSED"
    assert run("approve", written["decision"], "--by", "anna").exit_code == 1
    assert run_json("approve", written["decision"], "--by", "ben")["approved"] == [written["decision"]]
    listed = run_json("decisions")["decisions"]
    assert [(row["kind"], row["state"]) for row in listed] == [("WRITE_OFF", "EFFECTIVE"), ("ACCEPT", "WITHDRAWN")]
    assert "no exception" in run("accept", "nothing", "--reason", "why").output
    assert "no pay-out" in run("match", "nothing", "nothing", "--reason", "why").output
    assert outbox.verify_audit().ok


def test_the_open_exceptions_read_as_a_list_of_what_to_do(run: Run, published: Path) -> None:
    told = run("exceptions", "--open", "--limit", "0").output
    rows = Published(published).select("exceptions")
    for row in rows:
        is_open = row["status"] not in ("RESOLVED", "WRITTEN_OFF", "INFORMATION")
        assert (row["exception_id"] in told) == is_open
        assert not is_open or row["recommended_action"] in told


@pytest.mark.parametrize(
    ("due", "words"),
    [
        ("07-03T07:59", "Overdue"),
        ("07-03T08:00", "Today"),
        ("07-04T00:00", "Tomorrow"),
        ("07-06T16:00", "Monday 6 July"),
    ],
)
def test_a_due_time_is_told_in_words(due: str, words: str) -> None:
    assert due_in_words(datetime.fromisoformat(f"2026-{due}"), datetime.fromisoformat("2026-07-03T08:00")) == words
