"""The first day: a configuration of one's own, maps proposed from the ERP's chart, and a shadow of what would be."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors.charts import ChartAccount, ChartTax
from orchestration.cli.app import app
from orchestration.first_day.proposals import ROLES, TAXES, propose_accounts, propose_taxes
from orchestration.first_day.shadow import markdown, shadow, table
from orchestration.lib.configuration import ApprovalPolicy, Switch
from orchestration.lib.registry import check_registry
from orchestration.lib.settings import DEFAULT_CONFIG_DIR

ANSWERS = {
    "entity_code": "ACME", "entity_name": "Acme Tools Ltd", "country": "GB", "vat_number": "GB123", "currency": "EUR",
    "erp_vendor": "sage200", "erp_code": "ACME_ERP", "erp_company": "9", "erp_part": "site-1",
    "marketplace_code": "TOOLBOX", "marketplace_name": "Toolbox, Marketplace", "base_url": "https://toolbox.example",
    "shop_id": "77", "customer_reference": "MKTOOL", "clearing_bank_code": "MKTOOL", "bank_account_code": "ACME_EUR",
    "statement_path": "/data/bank/*.xml", "iban": "GB33BUKB20201555555555", "go_live_date": "2026-08-01",
}  # fmt: skip
STRANGERS = ("BRICO", "HOMELY", "PLAZA", "UKTRADE", "NORTHHOME", "SAGE_UK", "NS_HOME", "BARC_", "HSBC_GBP")


@pytest.mark.parametrize("vendor", ["sage200", "netsuite"])
def test_answers_make_a_configuration_of_ones_own_that_is_valid(vendor: str, tmp_path: Path) -> None:
    target, given = tmp_path / "config", tmp_path / "answers.toml"
    given.write_text(
        "\n".join(f'{key} = "{value}"' for key, value in (ANSWERS | {"erp_vendor": vendor, "erp_part": "3"}).items())
    )
    result = CliRunner().invoke(app, ["init", str(target), "--answers", str(given)])
    assert result.exit_code == 0, result.output
    registry, errors = check_registry(target)
    assert registry is not None
    assert [str(error) for error in errors if error.is_blocking] == []
    assert [row.marketplace_code for row in registry.marketplaces] == ["TOOLBOX"]
    assert registry.marketplaces[0].marketplace_name == "Toolbox, Marketplace"
    assert [(row.vendor, row.entity_code) for row in registry.erps] == [(vendor, "ACME")]
    assert {str(row.as_of_date) for row in registry.opening_balances} == {"2026-07-31"}
    assert {row.currency_code for row in registry.accounts} == {"EUR"}
    assert {row.entity_code for row in registry.accounts} == {"ACME"}
    left = [
        (path.name, word) for path in target.glob("*.csv") for word in STRANGERS if word in path.read_text("utf-8-sig")
    ]
    assert left == []
    environment = (target / "env.example").read_text()
    assert "MIRAKL_TOOLBOX_API_KEY=" in environment
    assert "BRICO" not in environment


def test_questions_are_asked_until_the_answer_fits(tmp_path: Path) -> None:
    lines: list[str] = []
    for key, value in ANSWERS.items():
        lines += ["http://far.example", value] if key == "base_url" else [value]
    result = CliRunner().invoke(app, ["init", str(tmp_path / "config"), "--ask"], input="\n".join(lines) + "\n")
    assert result.exit_code == 0, result.output
    assert "must start with https://" in result.output
    assert check_registry(tmp_path / "config")[0] is not None


def test_a_wrong_answer_in_the_file_is_named(tmp_path: Path) -> None:
    given = tmp_path / "answers.toml"
    given.write_text('entity_code = "lower case"\nunknown = "1"\n')
    result = CliRunner().invoke(app, ["init", str(tmp_path / "config"), "--answers", str(given)])
    assert result.exit_code == 4
    for part in ("entity_code", "unknown", "go_live_date"):
        assert part in result.output
    assert not (tmp_path / "config").exists()


def chart(*names: str) -> list[ChartAccount]:
    """`+` before a name puts the account on the balance sheet; codes count from 1."""
    return [
        ChartAccount(str(number), name.lstrip("+"), name.startswith("+"), "", "")
        for number, name in enumerate(names, start=1)
    ]


def test_accounts_are_found_by_their_names_and_side_of_the_books() -> None:
    names = (
        "+Bank current account", "Bank charges", "+VAT on sales", "+VAT on sales, pending", "+VAT on purchases",
        "Marketplace sales", "Marketplace sales returns", "Commission received", "Marketplace commission",
    )  # fmt: skip
    found = {one.role: one for one in propose_accounts(ROLES, chart(*names))}
    expected = {"BANK": "1", "BANK_CHARGES": "2", "OUTPUT_VAT": "3", "INPUT_VAT": "5", "REVENUE_GOODS": "6"}
    assert {role: found[role].code for role in expected} == expected
    assert found["OUTPUT_VAT_PENDING"].code == "4"
    assert found["SALES_RETURNS"].code == "7"
    assert (found["COMMISSION_EXPENSE"].code, found["COMMISSION_EXPENSE"].is_sure) == ("9", True)
    assert found["FX_REALISED"].code is None
    assert "No account is called" in found["FX_REALISED"].why


def test_a_name_that_says_the_opposite_is_no_candidate() -> None:
    found = propose_accounts(["COMMISSION_EXPENSE", "BANK"], chart("Commission received", "+Bank clearing"))
    assert [one.code for one in found] == [None, None]


def test_two_accounts_that_fit_alike_are_no_certainty() -> None:
    (one,) = propose_accounts(["BANK_CHARGES"], chart("Bank charges", "Bank charges USD"))
    assert (one.code, one.is_sure) == ("1", False)
    assert "So do 2" in one.why


def test_tax_codes_are_found_by_name_and_rate() -> None:
    codes = [
        ChartTax("T1", "Standard rate", "20.00"),
        ChartTax("T9", "Standard rate of old", "17.5"),
        ChartTax("T0", "Zero rate", "0"),
        ChartTax("T24", "Services, reverse charge", "20"),
    ]
    found = {one.role: one.code for one in propose_taxes(TAXES, codes)}
    assert found["STD_SALE"] == found["STD_PURCH"] == "T1"
    assert (found["ZERO"], found["RC_SERVICES"], found["PVA"]) == ("T0", "T24", None)


def test_every_role_and_tax_role_of_the_defaults_is_known() -> None:
    with (DEFAULT_CONFIG_DIR / "accounts.csv").open(newline="") as file:
        # Reverse charge moves the ordinary VAT accounts; nobody names an account for it. An operator's are set by hand.
        roles = {row["account_role"] for row in csv.DictReader(file) if row["entity_code"] != "PLAZAOPS"}
        assert roles - set(ROLES) <= {"RC_OUTPUT_VAT", "RC_INPUT_VAT"}
    with (DEFAULT_CONFIG_DIR / "tax_codes.csv").open(newline="") as file:
        assert {row["tax_role"] for row in csv.DictReader(file)} <= set(TAXES)


def action(
    key: str, state: str = "PROPOSED", kind: str = "JOURNAL", amount: str | None = "10.00"
) -> dict[str, str | None]:
    return {
        "action_key": key, "kind": kind, "vendor": "sage200", "account": "SAGE_UK", "marketplace_code": "BRICO",
        "amount": amount, "currency_code": "GBP" if amount else None, "state": state,
        "proposed_at": "2026-07-01T08:00:00.000000Z",
    }  # fmt: skip


def test_the_shadow_tells_what_would_have_happened_to_each_proposal() -> None:
    limit = ApprovalPolicy.model_validate(
        {
            "line": 2,
            "kind": "JOURNAL",
            "marketplace_code": "*",
            "mode": "AUTO",
            "maximum_amount": "50.00",
            "currency_code": "GBP",
        }
    )
    stock = limit.model_copy(update={"kind": "STOCK", "maximum_amount": None, "currency_code": None})
    off = Switch.model_validate(
        {"line": 2, "vendor": "sage200", "marketplace_code": "*", "kind": "REFUND", "is_on": "false"}
    )
    found = shadow(
        [
            action("a"),
            action("b", amount="-20.00"),
            action("c", amount="50.01"),
            action("d", "SUPERSEDED"),
            action("e", "REJECTED"),
            action("f", "VERIFIED"),
            action("g", kind="REFUND"),
            action("h", kind="STOCK", amount=None),
        ],
        [limit, stock],
        [off],
    )
    assert [(one.kind, one.outcome, one.count, dict(one.amounts)) for one in found] == [
        ("JOURNAL", "BY_ITSELF", 2, {"GBP": 30}),
        ("JOURNAL", "PERSON", 1, {"GBP": Decimal("50.01")}),
        ("JOURNAL", "OVERTAKEN", 1, {"GBP": 10}),
        ("JOURNAL", "REFUSED", 1, {"GBP": 10}),
        ("JOURNAL", "SENT", 1, {"GBP": 10}),
        ("REFUND", "STOPPED", 1, {"GBP": 10}),
        ("STOCK", "BY_ITSELF", 1, {}),
    ]
    assert "50.01 GBP is above the limit of 50.00" in found[1].why
    text = "\n".join(markdown(found, since="", until="2026-07-03T08:00:00Z", write_back=False))
    assert "| JOURNAL | BRICO | would have gone out by itself | 2 | 30.00 GBP |" in text
    assert "Write-back is off: nothing of it was sent." in text
    assert table(found).splitlines()[1].startswith("JOURNAL,BRICO,BY_ITSELF,2,30.00,GBP,")
    assert shadow([action("a")], [limit], [off], since="2026-07-02") == []
