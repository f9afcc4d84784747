"""Turns the default configuration into that of one company: what it asks, and how the files change with the answers."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from orchestration.lib.configuration import Code, Country, Currency, Day, Text, Url

NAMED_BY = ("marketplace_code", "entity_code", "erp_code", "bank_account_code")
TEMPLATES = {
    "sage200": {
        "marketplace_code": "BRICO",
        "entity_code": "UKTRADE",
        "erp_code": "SAGE_UK",
        "bank_account_code": "BARC_GBP",
    },
    "netsuite": {
        "marketplace_code": "HOMELY",
        "entity_code": "NORTHHOME",
        "erp_code": "NS_HOME",
        "bank_account_code": "HSBC_GBP",
    },
}
"""Whose rows of the defaults become the company's own."""
DEFAULT_CURRENCY = "GBP"


class Answers(BaseModel):
    """What is asked, in this order; also the keys of a file for --answers (TOML)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    entity_code: Annotated[Code, Field(description="Short code of your company, such as ACME")]
    entity_name: Annotated[Text, Field(description="Its name as on documents")]
    country: Annotated[Country, Field(description="Its country (two letters)")] = "GB"
    vat_number: Annotated[str, Field(description="Its VAT registration number")] = ""
    currency: Annotated[Currency, Field(description="Currency of its books")] = "GBP"
    erp_vendor: Annotated[Literal["sage200", "netsuite"], Field(description="ERP: sage200 or netsuite")] = "sage200"
    erp_code: Annotated[Code, Field(description="Short code of the ERP company, such as ACME_ERP")]
    erp_company: Annotated[Text, Field(description="Company id in Sage 200, or account id in NetSuite")]
    erp_part: Annotated[str, Field(description="Site id in Sage 200, or subsidiary id in NetSuite (may be empty)")] = ""
    marketplace_code: Annotated[Code, Field(description="Short code of the marketplace, such as BRICO")]
    marketplace_name: Annotated[Text, Field(description="Its name")]
    base_url: Annotated[Url, Field(description="Address of its Mirakl instance (https://...)")]
    shop_id: Annotated[Text, Field(description="Id of your shop there")]
    customer_reference: Annotated[Text, Field(description="Its customer account in the ERP")]
    clearing_bank_code: Annotated[
        Text, Field(description="Its clearing account in the ERP (cash book or bank account)")
    ]
    bank_account_code: Annotated[Code, Field(description="Short code of the bank account that it pays into")]
    statement_path: Annotated[Text, Field(description="Files of that account's statements, such as /data/bank/*.xml")]
    iban: Annotated[Text, Field(description="Its IBAN")]
    go_live_date: Annotated[Day, Field(description="First day that Tieout judges (the day after the opening balances)")]


def tailored(contents: Mapping[str, str], answers: Answers) -> dict[str, str]:
    """The configuration files (name to text) with only the company's own rows. Opening balances are 0.00 as of the
    evening before going live: the figures are for the company to fill in.
    """
    template = TEMPLATES[answers.erp_vendor]
    renamed = {column: {template[column]: str(getattr(answers, column))} for column in NAMED_BY}
    result: dict[str, str] = {}
    for name, text in contents.items():
        reader = csv.DictReader(io.StringIO(text))
        rows = [_renamed(row, renamed) for row in reader if _is_ours(row, template)]
        if name == "marketplaces.csv":
            rows = [row | _marketplace(answers) for row in rows]
        elif name == "entities.csv":
            rows = [row | _entity(answers) for row in rows]
        elif name == "bank_accounts.csv":
            own = {"statement_path": answers.statement_path, "iban": answers.iban, "is_enabled": "true"}
            rows = [row | own for row in rows]
        elif name == "bank_payers.csv":
            rows = [row | {"payer_name_contains": answers.marketplace_name.upper()} for row in rows]
        elif name == "fee_suppliers.csv":
            rows = [row | {"supplier_name": f"{answers.marketplace_name} (correct me)"} for row in rows]
        elif name == "opening_balances.csv":
            eve = (answers.go_live_date - timedelta(days=1)).isoformat()
            rows = [row | {"amount": "0.00", "as_of_date": eve} for row in rows if row.get("item_kind") == "BALANCE"]
        elif name == "erps.csv":
            rows = [row | _erp(answers) for row in rows]
        rows = [_priced(row, answers.currency) for row in rows]
        result[name] = _text(list(reader.fieldnames or []), rows)
    return result


def _is_ours(row: Mapping[str, str], template: Mapping[str, str]) -> bool:
    return all(row.get(column, "*") in (template[column], "*", "") for column in NAMED_BY)


def _renamed(row: Mapping[str, str], renamed: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    return {column: renamed.get(column, {}).get(value, value) for column, value in row.items()}


def _priced(row: dict[str, str], currency: str) -> dict[str, str]:
    return row | {"currency_code": currency} if row.get("currency_code") == DEFAULT_CURRENCY else row


def _marketplace(answers: Answers) -> dict[str, str]:
    day = answers.go_live_date.isoformat()
    return {
        "marketplace_name": answers.marketplace_name,
        "base_url": answers.base_url,
        "key_name": "",
        "shop_id": answers.shop_id,
        "currency_code": answers.currency,
        "go_live_date": day,
        "journals_live_from": day,
        "customer_reference": answers.customer_reference,
        "clearing_bank_code": answers.clearing_bank_code,
        "operator_name": answers.marketplace_name,
        "is_enabled": "true",
    }


def _erp(answers: Answers) -> dict[str, str]:
    names = ("company_id", "site_id") if answers.erp_vendor == "sage200" else ("account_id", "subsidiary_id")
    own = dict(zip(names, (answers.erp_company, answers.erp_part), strict=True))
    # Which analysis code of theirs is free only they know.
    return own | {"is_enabled": "true", "vat_analysis_slot": ""}


def _entity(answers: Answers) -> dict[str, str]:
    return {
        "entity_name": answers.entity_name,
        "functional_currency": answers.currency,
        "country": answers.country,
        "vat_number": answers.vat_number,
    }


def _text(names: list[str], rows: list[dict[str, str]]) -> str:
    target = io.StringIO()
    writer = csv.DictWriter(target, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return target.getvalue()


def first_of_next_month(today: date) -> date:
    """A usual day to go live."""
    return (today.replace(day=28) + timedelta(days=4)).replace(day=1)
