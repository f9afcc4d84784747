"""The raw tables of bank statements. A record is one entry; its statement's header hangs on the statement's first
entry.

`amount` is signed as the bank account sees it: money in positive. `booking_date` and `value_date` are calendar dates.
Of a counterparty only the name and a digest of the account number are kept. `original_amount` and `original_currency`
are what was sent, where the bank says that it exchanged it: signed like `amount`, in another currency than `amount`.
"""

from __future__ import annotations

from connectors.columns import amount, flag, key, stamp, text
from connectors.records import TableSpec

BANK_STATEMENT_ENTRIES = TableSpec(
    "bank_statement_entries",
    (
        key("statement_id"),
        key("entry_reference"),
        stamp("booking_date", required=True),
        stamp("value_date"),
        amount("amount", required=True),
        text("currency", required=True),
        text("counterparty_name"),
        text("counterparty_account_hash"),
        text("remittance_information"),
        text("end_to_end_id"),
        text("transaction_code"),
        flag("is_reversal"),
        amount("original_amount"),
        text("original_currency"),
    ),
)

BANK_STATEMENTS = TableSpec(
    "bank_statements",
    (
        key("statement_id"),
        text("iban"),
        text("currency"),
        amount("opening_balance"),
        amount("closing_balance"),
        stamp("from_date"),
        stamp("to_date"),
    ),
    BANK_STATEMENT_ENTRIES.name,
)
