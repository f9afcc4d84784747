"""What the vendor publishes: tables with their columns, records with their fields, codes and their texts."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

# Records that can be written here → the type code in `transaction.type`.
WRITABLE = {
    "journalEntry": "Journal",
    "salesOrder": "SalesOrd",
    "deposit": "Deposit",
    "customerPayment": "CustPymt",
    "creditMemo": "CustCred",
    "itemFulfillment": "ItemShip",
}
# Transactions that are read; an invoice also becomes a credit memo.
TRANSACTIONS = WRITABLE | {"invoice": "CustInvc"}
# Records that are read from a table of their own.
LISTS = {
    "account": "account",
    "accountingPeriod": "accountingperiod",
    "currency": "currency",
    "customer": "customer",
    "inventoryItem": "item",
    "location": "location",
    "salesTaxItem": "salestaxitem",
    "subsidiary": "subsidiary",
}
# The column that names a row where another row points at it.
NAMES = {
    "account": "fullname",
    "accountingperiod": "periodname",
    "currency": "name",
    "customer": "entityid",
    "entity": "entityid",
    "item": "itemid",
    "location": "name",
    "salestaxitem": "name",
    "subsidiary": "name",
    "transaction": "trandisplayname",
    "department": "name",
    "classification": "name",
}
REFERENCES = {
    "account": "account",
    "currency": "currency",
    "entity": "entity",
    "item": "item",
    "location": "location",
    "subsidiary": "subsidiary",
    "postingperiod": "accountingperiod",
    "createdfrom": "transaction",
    "transaction": "transaction",
    "department": "department",
    "class": "classification",
    "parent": "",
}


@lru_cache(maxsize=1)
def contract() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(Path(__file__).with_name("contract.json").read_text("utf-8"))
    return loaded


def columns_of(table: str) -> dict[str, str]:
    """Column → integer, decimal, varchar, boolean_tf, date, datetime or list_text. Raises KeyError: no such table."""
    return {name: column["type"] for name, column in contract()["tables"][table]["columns"].items()}


@lru_cache(maxsize=1)
def record_names() -> dict[str, str]:
    """Lower-case path segment → the record's name: paths are case-insensitive, and links come back in lower case."""
    return {name.lower(): name for name in contract()["records"]}


def status_text(type_code: str, letter: str) -> str:
    """`B` of `SalesOrd` → `Pending Fulfillment`; the letter itself where no text is published."""
    return str(contract()["statuses"].get(type_code, {}).get(letter, letter))
