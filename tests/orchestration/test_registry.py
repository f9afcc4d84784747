"""The configuration folder: every finding names file, line, column and value, and they come all at once."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestration.lib.registry import ROW_TYPES, ConfigInvalid, check_registry, configured_vendors, load_registry
from orchestration.lib.settings import DEFAULT_CONFIG_DIR
from tests.orchestration.conftest import rewrite

Rows = list[dict[str, str]]


def set_cell(column: str, value: str, row: int = 0) -> Callable[[Rows], Rows]:
    def change(rows: Rows) -> Rows:
        rows[row][column] = value
        return rows

    return change


def repeat_first(rows: Rows) -> Rows:
    return [rows[0], *rows]


def drop(column: str, value: str) -> Callable[[Rows], Rows]:
    return lambda rows: [row for row in rows if row[column] != value]


@pytest.fixture
def config_dir(tmp_path: Path) -> Path:
    """The documented defaults, to be broken."""
    return Path(shutil.copytree(DEFAULT_CONFIG_DIR, tmp_path / "config"))


def test_a_vendor_is_in_use_when_one_of_its_companies_is_enabled(config_dir: Path) -> None:
    registry = load_registry(config_dir)
    assert registry.vendors == ("mirakl", "sage200", "bank")
    assert configured_vendors(config_dir) == ("bank", "mirakl", "sage200")
    assert {feed.vendor for feed in registry.feeds} > {feed.vendor for feed in registry.feeds_in_use}
    rewrite(config_dir / "erps.csv", lambda rows: [{**row, "is_enabled": "true"} for row in rows])
    registry = load_registry(config_dir)
    assert registry.vendors == ("mirakl", "sage200", "netsuite", "bank")
    assert (registry.accounts_of("sage200"), registry.accounts_of("netsuite")) == (
        ("SAGE_UK",),
        ("NS_HOME", "NS_PLAZA"),
    )
    assert configured_vendors(config_dir) == ("bank", "mirakl", "netsuite", "sage200")


def test_the_documented_defaults_have_no_finding() -> None:
    registry, errors = check_registry(DEFAULT_CONFIG_DIR)
    assert errors == []
    assert registry is not None
    assert registry.accounts_of("mirakl") == ("BRICO",)
    assert len(registry.transaction_types) == 51


@pytest.mark.parametrize(
    ("file", "change", "line", "column", "value", "words"),
    [
        ("marketplaces.csv", set_cell("base_url", "brico.example"), 2, "base_url", "brico.example", "not an address"),
        (
            "marketplaces.csv",
            set_cell("base_url", "http://brico.example"),
            2,
            "base_url",
            "http://brico.example",
            "https",
        ),
        ("marketplaces.csv", set_cell("shop_id", ""), 2, "shop_id", None, "is empty"),
        (
            "commission_contracts.csv",
            set_cell("marketplace_code", "*"),
            2,
            "marketplace_code",
            "*",
            "form that is not allowed",
        ),
        ("marketplaces.csv", set_cell("go_live_date", "01/04/2026"), 2, "go_live_date", "01/04/2026", "not a date"),
        ("marketplaces.csv", set_cell("posting_model", "MAGIC"), 2, "posting_model", "MAGIC", "not an allowed value"),
        ("marketplaces.csv", set_cell("erp_code", "SAP"), 2, "erp_code", "SAP", "not in erps.csv"),
        ("marketplaces.csv", set_cell("cycle_days", "1|32"), 2, "cycle_days", "1|32", "days of the month"),
        ("marketplaces.csv", set_cell("is_enabled", "maybe"), 2, "is_enabled", "maybe", "true or false"),
        ("marketplaces.csv", repeat_first, 3, "marketplace_code", "BRICO", "repeats the key of line 2"),
        ("marketplaces.csv", set_cell("bank_account_code", ""), 2, "bank_account_code", None, "is empty"),
        (
            "marketplaces.csv",
            set_cell("token_url", "https://auth.example/token"),
            2,
            "token_url",
            "https://auth.example/token",
            "would be ignored",
        ),
        ("feeds.csv", set_cell("perspective", "BUYER"), 2, "perspective", "BUYER", "not an allowed value"),
        ("call_budgets.csv", set_cell("maximum_seconds", ""), 2, "maximum_seconds", None, "its other half is not"),
        ("call_budgets.csv", set_cell("recommended_calls", "0"), 2, "recommended_calls", "0", "more than 0"),
        ("call_budgets.csv", set_cell("counts", "PAGES"), 2, "counts", "PAGES", "not an allowed value"),
        (
            "call_budgets.csv",
            set_cell("marketplace_code", "NOWHERE"),
            2,
            "marketplace_code",
            "NOWHERE",
            "not in marketplaces.csv",
        ),
        ("erps.csv", set_cell("company_id", ""), 2, "company_id", None, "is empty"),
        ("erps.csv", set_cell("vendor", "sap"), 2, "vendor", "sap", "not an ERP that is known here"),
        ("erps.csv", set_cell("account_id", "1234567"), 2, "account_id", "1234567", "would be ignored"),
        ("erps.csv", set_cell("auth_method", "TBA"), 2, "auth_method", "TBA", "no way to sign in to sage200"),
        ("erps.csv", set_cell("account_id", "", 1), 3, "account_id", None, "is empty"),
        ("erps.csv", set_cell("account_id", "12 34", 1), 3, "account_id", "12 34", "form that is not allowed"),
        ("erps.csv", set_cell("company_id", "7", 1), 3, "company_id", "7", "would be ignored"),
        ("erps.csv", set_cell("subsidiary_id", "UK", 1), 3, "subsidiary_id", "UK", "form that is not allowed"),
        ("erps.csv", set_cell("auth_method", "REFRESH_TOKEN", 1), 3, "auth_method", "REFRESH_TOKEN", "CERTIFICATE"),
        (
            "erps.csv",
            lambda rows: [*rows, {**rows[1], "erp_code": "NS_TWO", "account_id": "1234567-sb1"}],
            5,
            "account_id",
            "1234567-sb1",
            "the same books as line 3",
        ),
        ("erps.csv", set_cell("vat_analysis_slot", "1"), 2, "vat_analysis_slot", "1", "form that is not allowed"),
        ("erps.csv", set_cell("vat_analysis_slot", "2", 1), 3, "vat_analysis_slot", "2", "would be ignored"),
        ("analysis_codes.csv", set_cell("tax_role", "STANDARD"), 2, "tax_role", "STANDARD", "not in tax_codes.csv"),
        ("analysis_codes.csv", set_cell("analysis_code", "X" * 21), 2, "analysis_code", "X" * 21, "20"),
        (
            "analysis_codes.csv",
            lambda rows: [{**rows[0], "ship_to_country": "*", "ship_to_state": "Texas"}, *rows[1:]],
            2,
            "ship_to_state",
            "Texas",
            "a state of no country",
        ),
        (
            "erps.csv",
            lambda rows: [{**rows[0], "entity_code": "PLAZAOPS"}, *rows[1:]],
            2,
            "vat_analysis_slot",
            "2",
            "has no row of PLAZAOPS",
        ),
        ("entities.csv", set_cell("time_zone", "Europe/Lundon"), 2, "time_zone", "Europe/Lundon", "not a time zone"),
        ("entities.csv", set_cell("calendar_code", "MARS"), 2, "calendar_code", "MARS", "is not in calendars.csv"),
        ("calendars.csv", set_cell("working_days", "1|8"), 2, "working_days", "1|8", "days of the week"),
        ("calendars.csv", set_cell("closes_at", "25:00"), 2, "closes_at", "25:00", "time of the day"),
        ("tax_codes.csv", set_cell("rate_percent", "20%"), 2, "rate_percent", "20%", "not a decimal number"),
        ("tax_codes.csv", set_cell("rate_percent", "120"), 2, "rate_percent", "120", "between 0 and 100"),
        ("accounts.csv", set_cell("account_role", "MISC"), 2, "account_role", "MISC", "not in account_roles.csv"),
        ("accounts.csv", repeat_first, 3, None, None, "repeats the key of line 2"),
        ("transaction_types.csv", set_cell("account_role", "NONE"), 2, "account_role", "NONE", "not in account_roles"),
        ("stock_rules.csv", set_cell("pack_size", "0"), 2, "pack_size", "0", "more than 0"),
        ("retention.csv", set_cell("months", "0"), 2, "months", "0", "more than 0"),
        (
            "bank_accounts.csv",
            set_cell("csv_profile", "HSBC"),
            2,
            "csv_profile",
            "HSBC",
            "not in bank_csv_profiles.csv",
        ),
        (
            "switches.csv",
            set_cell("marketplace_code", "NOWHERE"),
            2,
            "marketplace_code",
            "NOWHERE",
            "not in marketplaces",
        ),
    ],
)
def test_a_finding_names_file_line_column_value_and_what_to_do(
    config_dir: Path,
    file: str,
    change: Callable[[Rows], Rows],
    line: int,
    column: str | None,
    value: str | None,
    words: str,
) -> None:
    rewrite(config_dir / file, change)
    _, errors = check_registry(config_dir)
    (error,) = [error for error in errors if error.is_blocking]
    assert (error.file, error.line) == (file, line)
    if column is not None:
        assert (error.column, error.value) == (column, value)
    assert words in error.problem + error.action
    assert error.action
    assert str(error).startswith(f"{file} line {line}")
    with pytest.raises(ConfigInvalid):
        load_registry(config_dir)


def operator(**changes: str) -> Callable[[Rows], Rows]:
    """Adds a marketplace that is read as its operator, which needs neither shop nor ERP nor bank."""
    row = {
        "marketplace_code": "TREFF",
        "perspective": "OPERATOR",
        "base_url": "https://treff.example",
        "auth_method": "OAUTH2",
        "token_url": "https://auth.example/oauth/token",
        "key_name": "",
        "shop_id": "",
        "erp_code": "",
        "journals_live_from": "",
        "customer_reference": "",
        "clearing_bank_code": "",
        "bank_account_code": "",
        **changes,
    }
    return lambda rows: [*rows, {**rows[0], **row}]


def test_an_operator_needs_neither_shop_nor_erp_nor_bank(config_dir: Path) -> None:
    rewrite(config_dir / "marketplaces.csv", operator())
    registry, errors = check_registry(config_dir)
    assert errors == []
    assert registry is not None
    assert registry.marketplace("TREFF").secret_name == "TREFF"


@pytest.mark.parametrize(
    ("changes", "column", "words"),
    [
        ({"shop_id": "7"}, "shop_id", "would be ignored"),
        ({"token_url": ""}, "token_url", "is empty"),
        ({"auth_method": "API_KEY"}, "token_url", "would be ignored"),
        ({"journals_live_from": "2026-04-01"}, "journals_live_from", "needs an ERP"),
        ({"key_name": "BRICO"}, "key_name", "signs in elsewhere"),
    ],
)
def test_columns_that_contradict_each_other_are_named(
    config_dir: Path, changes: dict[str, str], column: str, words: str
) -> None:
    rewrite(config_dir / "marketplaces.csv", operator(**changes))
    _, errors = check_registry(config_dir)
    (error,) = [error for error in errors if error.is_blocking]
    assert (error.column, error.value) == (column, changes.get(column, "https://auth.example/oauth/token") or None)
    assert words in error.problem


def test_each_side_of_a_marketplace_has_its_own_feeds(config_dir: Path) -> None:
    rewrite(config_dir / "marketplaces.csv", operator())
    rewrite(
        config_dir / "feeds.csv",
        lambda rows: [
            {**rows[0], "entity": entity, "perspective": perspective}
            for entity, perspective in (("orders", "BOTH"), ("offers", "SELLER"), ("shops", "OPERATOR"))
        ],
    )
    registry = load_registry(config_dir)
    assert [feed.entity for feed in registry.account_feeds("mirakl", "BRICO")] == ["orders", "offers"]
    assert [feed.entity for feed in registry.account_feeds("mirakl", "TREFF")] == ["orders", "shops"]


def test_two_rows_of_a_call_may_differ_in_their_maximum_only(config_dir: Path) -> None:
    def change(rows: Rows) -> Rows:
        for row in rows:
            if row["call"] == "TL02" and row["maximum_seconds"] == "3600":
                row["recommended_calls"] = "7"
        return rows

    rewrite(config_dir / "call_budgets.csv", change)
    _, (error,) = check_registry(config_dir)
    assert (error.column, error.value) == ("recommended_calls", "7")
    assert "of the same call" in error.problem


RATE = {"rate_source": "ECB", "currency_code": "EUR", "quote_currency_code": "GBP", "rate_date": "2026-05-01"}


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"rate": "0"}, "rate"),
        ({"rate": "1", "quote_currency_code": "EUR"}, "quote_currency_code"),
        ({"rate": "0.85", "rate_source": "ERP"}, "rate_source"),
    ],
)
def test_a_rate_that_cannot_be_used_is_named(config_dir: Path, changes: dict[str, str], column: str) -> None:
    rewrite(config_dir / "exchange_rates.csv", lambda rows: [{**RATE, **changes}])
    _, (error,) = check_registry(config_dir)
    assert (error.file, error.line, error.column) == ("exchange_rates.csv", 2, column)


def test_a_foreign_marketplace_needs_a_reference_rate(config_dir: Path) -> None:
    rewrite(config_dir / "marketplaces.csv", set_cell("currency_code", "EUR"))
    _, errors = check_registry(config_dir)
    assert [error.value for error in errors if error.column == "rate_source"] == ["ECB"]
    rewrite(config_dir / "exchange_rates.csv", lambda rows: [{**RATE, "rate": "0.85"}])
    _, errors = check_registry(config_dir)
    assert not [error for error in errors if error.column == "rate_source"]


def test_settlement_led_books_need_journals_and_the_currency_of_the_entity(config_dir: Path) -> None:
    def settlement_led(code: str, **changes: str) -> list[str]:
        """What is said of the posting model when it is this marketplace's."""
        model = {"posting_model": "SETTLEMENT_LED"} | changes
        rewrite(
            config_dir / "marketplaces.csv",
            lambda rows: [row | (model if row["marketplace_code"] == code else {}) for row in rows],
        )
        return [error.problem for error in check_registry(config_dir)[1] if error.column == "posting_model"]

    assert settlement_led("HOMELY") == []
    assert len(settlement_led("HOMELY", currency_code="EUR")) == 1
    assert any("Sage 200" in problem for problem in settlement_led("BRICO"))


def test_a_currency_with_three_decimals_is_refused(config_dir: Path) -> None:
    rewrite(config_dir / "entities.csv", set_cell("functional_currency", "KWD"))
    _, errors = check_registry(config_dir)
    assert ("entities.csv", "functional_currency", "KWD") in {(e.file, e.column, e.value) for e in errors}


def test_a_missing_column_is_named(config_dir: Path) -> None:
    path = config_dir / "tolerances.csv"
    path.write_text(path.read_text().replace("amount_cap", "cap", 1))
    _, errors = check_registry(config_dir)
    assert [(error.file, error.line, error.column) for error in errors] == [("tolerances.csv", 1, "amount_cap")]


@pytest.mark.parametrize("row_type", ROW_TYPES, ids=lambda row_type: row_type.FILE)
def test_a_missing_file_is_named(config_dir: Path, row_type: type) -> None:
    (config_dir / row_type.FILE).unlink()
    registry, errors = check_registry(config_dir)
    assert registry is None
    assert [error.problem for error in errors if error.file == row_type.FILE] == ["the file is missing"]


def test_a_duplicate_sku_is_named(config_dir: Path) -> None:
    mapping = {"marketplace_code": "BRICO", "shop_sku": "A-1", "erp_code": "SAGE_UK"}
    rewrite(
        config_dir / "item_map.csv",
        lambda rows: [{**mapping, "item_code": "A1"}, {**mapping, "item_code": "A2"}],
    )
    _, (error,) = check_registry(config_dir)
    assert (error.file, error.line, error.value) == ("item_map.csv", 3, "BRICO|A-1|SAGE_UK")


def test_all_findings_come_at_once(config_dir: Path) -> None:
    rewrite(config_dir / "marketplaces.csv", set_cell("base_url", "nowhere"))
    rewrite(config_dir / "tax_codes.csv", set_cell("rate_percent", "x"))
    (config_dir / "switches.csv").unlink()
    _, errors = check_registry(config_dir)
    assert {error.file for error in errors} == {"marketplaces.csv", "tax_codes.csv", "switches.csv"}


def test_a_role_without_account_stops_its_journals_and_not_the_run(config_dir: Path) -> None:
    rewrite(config_dir / "accounts.csv", drop("account_role", "COMMISSION_EXPENSE"))
    _, errors = check_registry(config_dir)
    assert {(error.value, error.is_blocking) for error in errors} == {("COMMISSION_EXPENSE", False)}
    assert "COMMISSION_FEE" in errors[0].problem
    assert load_registry(config_dir).warnings == tuple(errors)


def test_a_transaction_type_without_role_stops_its_journals_and_not_the_run(config_dir: Path) -> None:
    rewrite(
        config_dir / "transaction_types.csv",
        lambda rows: [
            {**row, "account_role": ""} if row["transaction_type"] == "SUBSCRIPTION_FEE" else row for row in rows
        ],
    )
    registry = load_registry(config_dir)
    assert [warning.value for warning in registry.warnings] == ["SUBSCRIPTION_FEE"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'transaction_type,"unclosed\n', "not CSV"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"", "column is missing"),
    ],
)
def test_a_file_that_is_no_csv_is_named(config_dir: Path, content: bytes, words: str) -> None:
    (config_dir / "transaction_types.csv").write_bytes(content)
    _, errors = check_registry(config_dir)
    assert any(error.file == "transaction_types.csv" and words in error.problem for error in errors)


def test_a_row_with_a_cell_too_many_is_named(config_dir: Path) -> None:
    path = config_dir / "bank_payers.csv"
    path.write_text(path.read_text() + "BRICO,Brico, Ltd,me,2026-01-01\n")
    _, (error,) = check_registry(config_dir)
    assert (error.file, error.line) == ("bank_payers.csv", len(path.read_text().splitlines()))
    assert "5 cells" in error.problem


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="tieout init"):
        load_registry(tmp_path / "nowhere")
