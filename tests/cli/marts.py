"""A small published file with the marts' columns: two cycles, one paid short by a bank fee, one not paid at all.

Everything is small enough to add up by hand:
  C-1: 100.00 + 5.00 + 50.00 − 15.75 − 3.15 − 7.50 − 1.50 − 40.00 − 8.00 = 79.10, paid, received 78.10 + 1.00 fee
  C-2: 30.00 − 4.50 − 0.90 − 20.00 + 3.00 + 0.60 = 8.20, paid, never received
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

SETTLEMENT_KEY = "UKTRADE|BRICO|SETTLEMENT|C-1|2026-04|1"
RECEIPT_KEY = "UKTRADE|BRICO|PAYOUT_RECEIPT|BARC_GBP-R1|2026-04|1"

MONEY = "DECIMAL(18,2)"
COMMON = {"marketplace_code": "VARCHAR", "entity_code": "VARCHAR"}
LEVEL = COMMON | {
    "subject_type": "VARCHAR",
    "subject_id": "VARCHAR",
    "rule_code": "VARCHAR",
    "status": "VARCHAR",
    "exception_code": "VARCHAR",
    "expected_amount": MONEY,
    "actual_amount": MONEY,
    "delta_amount": MONEY,
    "tolerance_amount": MONEY,
    "currency_code": "VARCHAR",
    "left_id": "VARCHAR",
    "right_id": "VARCHAR",
    "due_at": "TIMESTAMP",
    "root_subject_type": "VARCHAR",
    "root_subject_id": "VARCHAR",
    "summary": "VARCHAR",
}

SCHEMAS: dict[str, dict[str, str]] = {
    "ledger_differences": COMMON
    | {
        "erp_code": "VARCHAR",
        "journal_key": "VARCHAR",
        "match_status": "VARCHAR",
        "account_code": "VARCHAR",
        "cost_centre": "VARCHAR",
        "department": "VARCHAR",
        "account_roles": "VARCHAR",
        "difference_amount": MONEY,
        "balance_amount": MONEY,
        "currency_code": "VARCHAR",
    },
    "actions": COMMON | {"kind": "VARCHAR", "natural_id": "VARCHAR", "state": "VARCHAR"},
    "fct_orders": COMMON
    | {
        "order_id": "VARCHAR",
        "commercial_id": "VARCHAR",
        "order_state": "VARCHAR",
        "created_at": "TIMESTAMP",
        "customer_debited_at": "TIMESTAMP",
        "currency_code": "VARCHAR",
        "price_amount": MONEY,
        "shipping_amount": MONEY,
        "total_amount": MONEY,
        "erp_document_no": "VARCHAR",
        "erp_gross_amount": MONEY,
    },
    "order_status": COMMON
    | {
        "order_id": "VARCHAR",
        "marketplace_status": "VARCHAR",
        "erp_status": "VARCHAR",
        "carrier_name": "VARCHAR",
        "tracking_numbers": "VARCHAR",
        "refund_status": "VARCHAR",
        "credit_note_nos": "VARCHAR",
        "invoice_no": "VARCHAR",
        "settlement_status": "VARCHAR",
        "search_ids": "VARCHAR",
    },
    "fct_order_lines": COMMON
    | {
        "order_id": "VARCHAR",
        "order_line_id": "VARCHAR",
        "line_state": "VARCHAR",
        "shop_sku": "VARCHAR",
        "item_code": "VARCHAR",
        "quantity": "DECIMAL(18,4)",
        "price_amount": MONEY,
        "shipping_amount": MONEY,
        "total_amount": MONEY,
        "commission_amount": MONEY,
        "cancelled_amount": MONEY,
        "refunded_amount": MONEY,
        "refunded_shipping_amount": MONEY,
        "currency_code": "VARCHAR",
    },
    "fct_settlement_lines": COMMON
    | {
        "transaction_line_id": "VARCHAR",
        "transaction_type": "VARCHAR",
        "fee_type": "VARCHAR",
        "account_role": "VARCHAR",
        "is_in_net": "BOOLEAN",
        "amount": MONEY,
        "currency_code": "VARCHAR",
        "line_date": "DATE",
        "payment_state": "VARCHAR",
        "billing_cycle_id": "VARCHAR",
        "document_number": "VARCHAR",
        "order_id": "VARCHAR",
        "order_line_id": "VARCHAR",
        "refund_id": "VARCHAR",
    },
    "fct_cycles": COMMON
    | {
        "billing_cycle_id": "VARCHAR",
        "cycle_date": "DATE",
        "currency_code": "VARCHAR",
        "opening_amount": MONEY,
        "net_amount": MONEY,
        "break_amount": MONEY,
        "payout_amount": MONEY,
        "closing_amount": MONEY,
        "pay_out_state": "VARCHAR",
        "pay_out_reference": "VARCHAR",
        "pay_out_date": "DATE",
        "pay_out_failure_reason": "VARCHAR",
        "received_amount": MONEY,
        "bank_fee_amount": MONEY,
        "voucher_number": "VARCHAR",
        "paying_cycle_id": "VARCHAR",
    },
    "fct_receipts": COMMON
    | {
        "receipt_id": "VARCHAR",
        "bank_account_code": "VARCHAR",
        "value_date": "DATE",
        "booking_date": "DATE",
        "amount": MONEY,
        "currency_code": "VARCHAR",
        "is_from_payer": "BOOLEAN",
        "match_status": "VARCHAR",
        "rule_code": "VARCHAR",
        "allocated_amount": MONEY,
        "bank_fee_amount": MONEY,
        "excess_amount": MONEY,
    },
    "fct_receipt_allocations": COMMON
    | {
        "receipt_id": "VARCHAR",
        "billing_cycle_id": "VARCHAR",
        "rule_code": "VARCHAR",
        "cash_amount": MONEY,
        "fee_amount": MONEY,
        "excess_amount": MONEY,
        "cleared_amount": MONEY,
        "value_date": "DATE",
    },
    "journals": COMMON
    | {
        "journal_key": "VARCHAR",
        "wire_key": "VARCHAR",
        "kind": "VARCHAR",
        "posting_date": "DATE",
        "period": "VARCHAR",
        "status": "VARCHAR",
        "erp_document_id": "VARCHAR",
        "currency_code": "VARCHAR",
        "billing_cycle_id": "VARCHAR",
        "receipt_id": "VARCHAR",
    },
    "journal_lines": COMMON
    | {
        "journal_key": "VARCHAR",
        "line_no": "INTEGER",
        "account_role": "VARCHAR",
        "account_code": "VARCHAR",
        "debit": MONEY,
        "credit": MONEY,
        "tax_code": "VARCHAR",
    },
    "rec_orders": LEVEL | {"order_id": "VARCHAR", "order_line_id": "VARCHAR", "document_no": "VARCHAR"},
    "rec_settlement_lines": LEVEL | {"order_id": "VARCHAR", "order_line_id": "VARCHAR"},
    "rec_offers": LEVEL | {"expected_value": "VARCHAR", "actual_value": "VARCHAR"},
    "rec_stock": LEVEL | {"expected_quantity": "DECIMAL(18,4)", "actual_quantity": "DECIMAL(18,4)"},
    "unmatched_payouts": COMMON | {"subject_type": "VARCHAR", "subject_id": "VARCHAR", "candidate_ids": "VARCHAR"},
    "exceptions": COMMON
    | {
        "exception_id": "VARCHAR",
        "exception_code": "VARCHAR",
        "title": "VARCHAR",
        "severity": "VARCHAR",
        "owner_team": "VARCHAR",
        "root_cause": "VARCHAR",
        "status": "VARCHAR",
        "subject_type": "VARCHAR",
        "subject_id": "VARCHAR",
        "amount_at_risk": MONEY,
        "currency_code": "VARCHAR",
        "first_seen_at": "TIMESTAMP",
        "last_seen_at": "TIMESTAMP",
        "due_at": "TIMESTAMP",
        "resolved_at": "TIMESTAMP",
        "summary": "VARCHAR",
        "recommended_action": "VARCHAR",
        "runbook_url": "VARCHAR",
        "consequence_count": "INTEGER",
    },
    "claims": COMMON
    | {
        "claim_id": "VARCHAR",
        "claim_pack_id": "VARCHAR",
        "claim_kind": "VARCHAR",
        "exception_code": "VARCHAR",
        "subject_type": "VARCHAR",
        "subject_id": "VARCHAR",
        "subject_date": "DATE",
        "rule_text": "VARCHAR",
        "expected_amount": MONEY,
        "actual_amount": MONEY,
        "claim_amount": MONEY,
        "claim_tax_amount": MONEY,
        "currency_code": "VARCHAR",
        "owed_to": "VARCHAR",
        "document_number": "VARCHAR",
    },
    "completeness": COMMON | {"level_code": "VARCHAR", "is_complete": "BOOLEAN", "summary": "VARCHAR"},
    "freshness": COMMON
    | {
        "vendor": "VARCHAR",
        "account": "VARCHAR",
        "feed": "VARCHAR",
        "freshness_hours": "INTEGER",
        "last_complete_at": "TIMESTAMP",
        "age_minutes": "BIGINT",
        "is_stale": "BOOLEAN",
    },
    "control_totals": COMMON
    | {
        "control_code": "VARCHAR",
        "vendor": "VARCHAR",
        "account": "VARCHAR",
        "feed": "VARCHAR",
        "measure": "VARCHAR",
        "landed_count": "BIGINT",
        "staged_count": "BIGINT",
        "difference": "DECIMAL(28,4)",
        "is_balanced": "BOOLEAN",
    },
}


def line(
    number: int, kind: str, fee_type: str, role: str | None, amount: str, cycle: str, **more: Any
) -> dict[str, Any]:
    return {
        "transaction_line_id": f"T-{number}",
        "transaction_type": kind,
        "fee_type": fee_type,
        "account_role": role,
        "is_in_net": kind != "PAYMENT",
        "amount": amount,
        "currency_code": "GBP",
        "line_date": "2026-04-10" if cycle == "C-1" else "2026-04-20",
        "payment_state": "PAID",
        "billing_cycle_id": cycle,
        "document_number": "INV-1" if cycle == "C-1" else "INV-2",
        **more,
    }


O1, O2 = {"order_id": "O-1"}, {"order_id": "O-2"}
L1, L2, L3 = O1 | {"order_line_id": "O-1-1"}, O1 | {"order_line_id": "O-1-2"}, O2 | {"order_line_id": "O-2-1"}


def _rows(heading: str, *lines: str) -> list[dict[str, Any]]:
    """Rows from text with `|` between the cells; an empty cell is null. The two journal keys have short names."""
    names = [name.strip() for name in heading.split("|")]
    keys = {"SETTLEMENT": SETTLEMENT_KEY, "RECEIPT": RECEIPT_KEY}
    rows = []
    for text in lines:
        cells = [cell.strip() for cell in text.split("|")]
        row: dict[str, Any] = {name: value or None for name, value in zip(names, cells, strict=True)}
        if row.get("journal_key"):
            row["journal_key"] = keys.get(row["journal_key"], row["journal_key"])
        rows.append(row)
    return rows


ROWS: dict[str, list[dict[str, Any]]] = {
    "ledger_differences": _rows(
        "erp_code|journal_key|account_code|account_roles|match_status|difference_amount|balance_amount|currency_code",
        "SAGE_UK|J-1|1260|MARKETPLACE_CLEARING|TIMING|79.10|1000.00|GBP",
        "SAGE_UK|J-2|1260|MARKETPLACE_CLEARING|EXCEPTION|-8.20|1000.00|GBP",
        "SAGE_UK|J-3|1260|MARKETPLACE_CLEARING|EXCEPTION|5.00|1000.00|GBP",
        "SAGE_UK|J-4|1260|MARKETPLACE_CLEARING|TIMING|3.00|1000.00|GBP",
    ),
    "actions": _rows(
        "kind|natural_id|state",
        "JOURNAL|J-1|WANTED",
        "JOURNAL|J-2|PROPOSED",
        "JOURNAL|J-3|VERIFIED",
    ),
    "fct_orders": _rows(
        (
            "order_id | commercial_id | order_state | created_at | currency_code | price_amount | shipping_amount | "
            "total_amount | erp_document_no | erp_gross_amount"
        ),
        "O-1 | CO-1 | RECEIVED | 2026-04-02 09:00:00 | GBP | 150.00 | 5.00 | 155.00 | 0000012345 | 155.00",
        "O-2 | CO-2 | SHIPPED | 2026-04-12 09:00:00 | GBP | 30.00 | 0.00 | 30.00 |  | ",
    ),
    "order_status": _rows(
        "order_id | marketplace_status | tracking_numbers | refund_status | search_ids",
        "O-1 | delivered | TRK-1 | refunded in part | O-1,CO-1,0000012345,TRK-1,R-1",
        "O-2 | on its way since 2026-04-13 | TRK-2,TRK-3 | no refund | O-2,CO-2,TRK-2,TRK-3",
    ),
    "fct_order_lines": _rows(
        (
            "order_id | order_line_id | line_state | shop_sku | item_code | quantity | price_amount | "
            "shipping_amount | total_amount | commission_amount | cancelled_amount | refunded_amount | "
            "refunded_shipping_amount | currency_code"
        ),
        "O-1 | O-1-1 | RECEIVED | DRILL-1 | DRILL | 1 | 100.00 | 5.00 | 105.00 | 15.75 | 0.00 | 0.00 | 0.00 | GBP",
        "O-1 | O-1-2 | RECEIVED | SAW-1 | SAW | 2 | 50.00 | 0.00 | 50.00 | 7.50 | 0.00 | 20.00 | 0.00 | GBP",
        "O-2 | O-2-1 | SHIPPED | DRILL-1 | DRILL | 1 | 30.00 | 0.00 | 30.00 | 4.50 | 0.00 | 0.00 | 0.00 | GBP",
    ),
    "fct_settlement_lines": [
        line(1, "ORDER_AMOUNT", "GOODS", "AR_MARKETPLACE", "100.00", "C-1", **L1),
        line(2, "ORDER_SHIPPING_AMOUNT", "SHIPPING", "AR_MARKETPLACE", "5.00", "C-1", **L1),
        line(3, "ORDER_AMOUNT", "GOODS", "AR_MARKETPLACE", "50.00", "C-1", **L2),
        line(4, "COMMISSION_FEE", "COMMISSION", "COMMISSION_EXPENSE", "-15.75", "C-1", **L1),
        line(5, "COMMISSION_VAT", "COMMISSION", "INPUT_VAT", "-3.15", "C-1", **L1),
        line(6, "COMMISSION_FEE", "COMMISSION", "COMMISSION_EXPENSE", "-7.50", "C-1", **L2),
        line(7, "COMMISSION_VAT", "COMMISSION", "INPUT_VAT", "-1.50", "C-1", **L2),
        line(8, "SUBSCRIPTION_FEE", "SUBSCRIPTION", "SUBSCRIPTION_EXPENSE", "-40.00", "C-1"),
        line(9, "SUBSCRIPTION_VAT", "SUBSCRIPTION", "INPUT_VAT", "-8.00", "C-1"),
        line(10, "PAYMENT", "PAYMENT", None, "-79.10", "C-1"),
        line(11, "ORDER_AMOUNT", "GOODS", "AR_MARKETPLACE", "30.00", "C-2", **L3),
        line(12, "COMMISSION_FEE", "COMMISSION", "COMMISSION_EXPENSE", "-4.50", "C-2", **L3),
        line(13, "COMMISSION_VAT", "COMMISSION", "INPUT_VAT", "-0.90", "C-2", **L3),
        line(14, "REFUND_ORDER_AMOUNT", "GOODS", "AR_MARKETPLACE", "-20.00", "C-2", refund_id="R-1", **L2),
        line(15, "REFUND_COMMISSION_FEE", "COMMISSION", "COMMISSION_EXPENSE", "3.00", "C-2", refund_id="R-1", **L2),
        line(16, "REFUND_COMMISSION_VAT", "COMMISSION", "INPUT_VAT", "0.60", "C-2", refund_id="R-1", **L2),
    ],
    "fct_cycles": _rows(
        (
            "billing_cycle_id | cycle_date | currency_code | opening_amount | net_amount | payout_amount | "
            "closing_amount | pay_out_state | pay_out_reference | pay_out_date | voucher_number | paying_cycle_id | "
            "break_amount | received_amount | bank_fee_amount"
        ),
        (
            "C-1 | 2026-04-11 | GBP | 0.00 | 79.10 | 79.10 | 0.00 | PAID | "
            "PO-1 | 2026-04-11 | V-1 | C-1 | 0.00 | 78.10 | 1.00"
        ),
        (
            "C-2 | 2026-04-21 | GBP | 0.00 | 8.20 | 8.20 | 0.00 | PAID | "
            "PO-2 | 2026-04-21 | V-2 | C-2 | 0.00 | 0.00 | 0.00"
        ),
    ),
    "fct_receipts": _rows(
        (
            "receipt_id | bank_account_code | value_date | booking_date | amount | currency_code | is_from_payer | "
            "match_status | rule_code | allocated_amount | bank_fee_amount | excess_amount"
        ),
        (
            "BARC_GBP-R1 | BARC_GBP | 2026-04-13 | 2026-04-13 | 78.10 | GBP | true | "
            "MATCHED | E050_BANK_FEE | 78.10 | 1.00 | 0.00"
        ),
    ),
    "fct_receipt_allocations": _rows(
        (
            "receipt_id | billing_cycle_id | rule_code | cash_amount | fee_amount | excess_amount | cleared_amount | "
            "value_date"
        ),
        "BARC_GBP-R1 | C-1 | E050_BANK_FEE | 78.10 | 1.00 | 0.00 | 79.10 | 2026-04-13",
    ),
    "journals": _rows(
        (
            "journal_key | wire_key | kind | posting_date | period | status | erp_document_id | currency_code | "
            "billing_cycle_id | receipt_id"
        ),
        "SETTLEMENT | TO1111111111111111 | SETTLEMENT | 2026-04-11 | 2026-04 | POSTED | 9001,9003 | GBP | C-1 | ",
        ("RECEIPT | TO2222222222222222 | PAYOUT_RECEIPT | 2026-04-13 | 2026-04 | POSTED | 9002 | GBP |  | BARC_GBP-R1"),
    ),
    "journal_lines": _rows(
        "journal_key | line_no | account_role | account_code | debit | credit | tax_code",
        "SETTLEMENT | 1 | MARKETPLACE_CLEARING | 1260 | 79.10 | 0.00 | ",
        "SETTLEMENT | 2 | COMMISSION_EXPENSE | 5100 | 23.25 | 0.00 | ",
        "SETTLEMENT | 3 | SUBSCRIPTION_EXPENSE | 5110 | 40.00 | 0.00 | ",
        "SETTLEMENT | 4 | INPUT_VAT | 2201 | 12.65 | 0.00 | 1",
        "SETTLEMENT | 5 | AR_MARKETPLACE | 1100 | 0.00 | 155.00 | ",
        "RECEIPT | 1 | BANK | 1200 | 78.10 | 0.00 | ",
        "RECEIPT | 2 | BANK_CHARGES | 7900 | 1.00 | 0.00 | ",
        "RECEIPT | 3 | MARKETPLACE_CLEARING | 1260 | 0.00 | 79.10 | ",
    ),
    "rec_orders": _rows(
        (
            "subject_type | subject_id | rule_code | status | exception_code | expected_amount | actual_amount | "
            "delta_amount | summary | order_id | document_no"
        ),
        "ORDER | O-1 | A010_EXISTS | MATCHED |  |  |  |  | ERP order found | O-1 | 0000012345",
        "ORDER | O-2 | A010_EXISTS | EXCEPTION | ORD-001 | 30.00 | 0.00 | -30.00 | no ERP order | O-2 | ",
    ),
    "rec_settlement_lines": [],
    "rec_offers": _rows(
        "subject_type | subject_id | rule_code | status | exception_code | expected_amount | actual_amount | summary",
        "OFFER | DRILL-1 | OFFER_PRICE | EXCEPTION | OFR-003 | 49.56 | 47.20 | offer asks 47.20, the list says 49.56",
    ),
    "rec_stock": _rows(
        (
            "subject_type | subject_id | rule_code | status | exception_code | expected_quantity | actual_quantity | "
            "summary"
        ),
        "OFFER | DRILL-1 | H010_QUANTITY | EXCEPTION | STK-001 | 4 | 9 | offer shows 9, expected 4",
    ),
    "unmatched_payouts": _rows("subject_type | subject_id | candidate_ids", "PAYOUT | C-2 | "),
    "exceptions": _rows(
        (
            "exception_id | exception_code | severity | owner_team | root_cause | status | subject_type | "
            "subject_id | amount_at_risk | currency_code | first_seen_at | last_seen_at | due_at | resolved_at | "
            "summary | recommended_action | consequence_count"
        ),
        (
            "aaaaaaaaaaaaaaaa | BNK-001 | S1 | FINANCE | COUNTERPARTY | OPEN | PAYOUT | C-2 | 8.20 | GBP | "
            "2026-04-29 08:00:00 | 2026-07-03 08:00:00 | 2026-04-30 08:00:00 |  | pay-out of 8.20 was not received | "
            "Check state and bank details; chase | 0"
        ),
        (
            "bbbbbbbbbbbbbbbb | ORD-001 | S2 | OPERATIONS | SYNC | OPEN | ORDER | O-2 | 30.00 | GBP | "
            "2026-04-12 10:00:00 | 2026-07-03 08:00:00 | 2026-07-30 08:00:00 |  | order is not in the ERP | "
            "Recreate from the stored order | 1"
        ),
        (
            "cccccccccccccccc | BNK-002 | S4 | FINANCE | COUNTERPARTY | INFORMATION | PAYOUT | C-1 | 1.00 | GBP | "
            "2026-04-13 08:00:00 | 2026-07-03 08:00:00 |  |  | short by 1.00, a bank fee | Post the fee | "
        ),
        (
            "dddddddddddddddd | SET-004 | S3 | FINANCE | COUNTERPARTY | RESOLVED | ORDER_LINE | O-1-1 | 0.10 | GBP | "
            "2026-04-13 08:00:00 | 2026-05-01 08:00:00 |  | 2026-05-01 08:00:00 | commission differed | Claim | "
        ),
    ),
    "claims": _rows(
        (
            "claim_id | claim_pack_id | claim_kind | exception_code | subject_type | subject_id | subject_date | "
            "rule_text | expected_amount | actual_amount | claim_amount | claim_tax_amount | currency_code | owed_to | "
            "document_number"
        ),
        (
            "a-B060 | BRICO-2026-04-COMMISSION | COMMISSION | SET-003 | ORDER_LINE | O-1-1 | 2026-04-10 | "
            "12.00 % of price | -12.00 | -14.00 | 2.00 | 0.40 | GBP | SELLER | =1+1"
        ),
        (
            "b-B050 | BRICO-2026-04-COMMISSION | COMMISSION | SET-004 | ORDER_LINE | O-1-2 | 2026-04-20 | "
            "12.00 % of price | -1.00 | -1.04 | 0.04 | 0.01 | GBP | SELLER | 9010"
        ),
        (
            "c-B020 | BRICO-2026-04-CANCELLED_SALE | CANCELLED_SALE | SET-010 | ORDER_LINE | O-2-1 | 2026-04-12 | "
            "A cancelled line is not settled. | 0.00 | 30.00 | -30.00 | 0.00 | GBP | OPERATOR | 9020"
        ),
    ),
    "completeness": _rows(
        "level_code | is_complete | summary",
        "a | true | Proved: feeds fresh, controls balanced, no gap.",
        "e | false | Not proved: 1 feed(s) too old, statements among them.",
    ),
    "freshness": _rows(
        "vendor | account | feed | freshness_hours | last_complete_at | age_minutes | is_stale",
        "mirakl | BRICO | orders | 2 | 2026-07-03 07:50:00 | 10 | false",
        "sage200 | SAGE_UK | products | 2 | 2026-07-02 07:50:00 | 1450 | true",
    ),
    "control_totals": _rows(
        "control_code | vendor | account | feed | landed_count | staged_count | difference | is_balanced | measure",
        "RECORDS | mirakl | BRICO | orders | 2 | 2 | 0 | true | ",
        "AMOUNTS | mirakl | BRICO | transaction_lines |  |  | 0.01 | false | amount",
    ),
}


def build(path: Path, changes: dict[str, list[dict[str, Any]]] | None = None) -> Path:
    """Write the published file. `changes` replaces the rows of whole marts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"ATTACH '{path}' AS published (STORAGE_VERSION 'v1.4.0')")
        connection.execute("CREATE SCHEMA published.marts")
        for mart, columns in SCHEMAS.items():
            rows = ({**ROWS, **(changes or {})})[mart]
            texts = [
                {
                    name: _text(({"marketplace_code": "BRICO", "entity_code": "UKTRADE"} | row).get(name))
                    for name in columns
                }
                for row in rows
            ]
            source = pa.Table.from_pylist(texts, schema=pa.schema([(name, pa.string()) for name in columns]))
            connection.register("source", source)
            casts = ", ".join(f"{name}::{kind} AS {name}" for name, kind in columns.items())
            connection.execute(f"CREATE TABLE published.marts.{mart} AS SELECT {casts} FROM source")
            connection.unregister("source")
    return path


def _text(value: Any) -> str | None:
    return None if value is None else str(value) if not isinstance(value, Decimal) else format(value, "f")
