"""A published file with the columns of the real marts' contracts, and the books of one small month in it.

June of E at M: opening 5.00, settled 100.00, received 60.00, a journal of 7.00 on its way (TIMING); closing 45.00, of
which the ERP has 38.00. The month before left 1.00 unexplained.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import yaml

MODELS = Path(__file__).parents[2] / "dbt_project" / "models" / "marts"
EVIL = '=HYPERLINK("http://example.org";"click")'
"""A text from outside that a spreadsheet would run."""


@cache
def contracts() -> dict[str, dict[str, str]]:
    return {
        model["name"]: {column["name"]: column["data_type"] for column in model["columns"]}
        for path in MODELS.rglob("*.yml")
        for model in yaml.safe_load(path.read_text()).get("models", [])
    }


HERE = {"entity_code": "E", "marketplace_code": "M", "currency_code": "GBP"}
CLEARING = HERE | {"account_role": "MARKETPLACE_CLEARING", "account_code": "1260"}


def _journal(key: str, kind: str, amount: str, **more: Any) -> dict[str, Any]:
    return (
        HERE
        | {
            "journal_key": key,
            "kind": kind,
            "posting_date": "2026-06-11",
            "period": "2026-06",
            "books_period": "2026-06",
        }
        | {"total_debit": amount, "total_credit": amount, "line_count": 2, "status": "POSTED", "is_blocked": False}
        | more
    )


def _lines(key: str, role: str, amount: str, *, debit: bool) -> list[dict[str, Any]]:
    sides = (("debit", "credit"), ("credit", "debit"))[0 if debit else 1]
    return [
        HERE
        | {"journal_key": key, "line_no": 1, "account_role": "MARKETPLACE_CLEARING", sides[0]: amount, sides[1]: "0"},
        HERE | {"journal_key": key, "line_no": 2, "account_role": role, sides[1]: amount, sides[0]: "0"},
    ]


ROWS: dict[str, list[dict[str, Any]]] = {
    "close_readiness": [
        {"entity_code": "E", "period": period, "check_code": code, "title": code, "working_day": "WD1"}
        | {
            "owner_team": "FINANCE",
            "is_blocking": True,
            "is_done": done,
            "open_count": 0,
            "evidence": "",
            "is_locked": False,
        }
        for period in ("2026-05", "2026-06")
        for code, done in (("04_JOURNALS", period == "2026-05"), ("05_BANK", True))
    ],
    "clearing_rollforward": [
        CLEARING
        | {"period": "2026-05", "opening_amount": "0", "settlement_amount": "5", "receipt_amount": "0"}
        | {"correction_amount": "0", "closing_amount": "5", "erp_closing_amount": "6", "difference_amount": "1"}
        | {"timing_amount": "0", "finding_amount": "0", "unexplained_amount": "1"},
        CLEARING
        | {"period": "2026-06", "opening_amount": "5", "settlement_amount": "100", "receipt_amount": "-60"}
        | {"correction_amount": "0", "closing_amount": "45", "erp_closing_amount": "39", "difference_amount": "-6"}
        | {"timing_amount": "-7", "finding_amount": "0", "unexplained_amount": "1"},
    ],
    "account_rollforward": [
        HERE
        | {"account_role": "AR_MARKETPLACE", "period": "2026-06", "opening_amount": "0", "invoice_amount": "130"}
        | {"credit_note_amount": "-10", "settlement_amount": "-100", "accrual_amount": "0", "reversal_amount": "0"}
        | {"other_amount": "0", "closing_amount": "20", "timing_amount": "3", "finding_amount": "1"}
        | {"by_hand_amount": "0", "unexplained_amount": "0", "erp_closing_amount": "24"},
    ],
    "vat_support": [
        {"entity_code": "E", "period": "2026-06", "vat_period": "2026-06", "account_role": "OUTPUT_VAT"}
        | {"marketplace_code": owner, "section": section, "is_memo": section == "COLLECTED_BY_OPERATOR"}
        | {
            "country_code": "",
            "tax_code": "",
            "analysis_code": "",
            "row_count": 1,
            "net_amount": "0",
            "tax_amount": tax,
        }
        | {"currency_code": "GBP"}
        for owner, section, tax in (
            ("M", "SALES", "20"),
            ("*", "LEDGER", "-20"),
            ("M", "COLLECTED_BY_OPERATOR", "4"),
        )
    ],
    "period_figures": [
        HERE
        | {"period": "2026-06", "figure_code": "LEDGER MARKETPLACE_CLEARING", "restated_amount": "39"}
        | {"difference_amount": "0", "is_locked": False},
        HERE
        | {"period": "2026-05", "figure_code": "LEDGER MARKETPLACE_CLEARING", "restated_amount": "6"}
        | {"difference_amount": "0", "is_locked": False},
    ],
    "journals": [
        _journal("S", "SETTLEMENT", "100"),
        _journal("R", "PAYOUT_RECEIPT", "60"),
        _journal("B", "SETTLEMENT", "9", status="BLOCKED", is_blocked=True),
        _journal("N", "SETTLEMENT", "3", period="2026-05", books_period="2026-05"),
    ],
    "journal_lines": [
        *_lines("S", "AR_MARKETPLACE", "100", debit=True),
        *_lines("R", "BANK", "60", debit=False),
        *_lines("B", "UNMAPPED", "9", debit=True),
        *_lines("N", "AR_MARKETPLACE", "3", debit=True),
    ],
    "fct_cycles": [
        HERE
        | {"billing_cycle_id": "c", "cycle_date": "2026-06-11", "opening_amount": "0", "net_amount": "100"}
        | {"break_amount": "0", "payout_amount": "60", "closing_amount": "40", "line_count": 3},
    ],
    "fct_settlement_lines": [
        HERE | {"transaction_line_id": f"t{number}", "billing_cycle_id": "c", "amount": "0.01", "is_in_net": True}
        for number in range(30)
    ],
    "balance_tie_out": [
        HERE | {"side": side, "item_kind": kind, "subject_type": "X", "subject_id": kind, "amount": amount}
        for side, kind, amount in (("LEDGER", "AR", "39"), ("MARKETPLACE", "PAYABLE", "45"), ("ITEM", "JOURNAL", "-6"))
    ],
    "exceptions": [
        HERE
        | {
            "exception_id": "x",
            "severity": "S2",
            "exception_code": "ORD-006",
            "status": "OPEN",
            "subject_type": "ORDER",
        }
        | {"subject_id": EVIL, "amount_at_risk": "1", "summary": "-1+1|cmd", "first_seen_at": "2026-06-30 08:00:00"},
    ],
    "reconciliation_debt": [
        HERE
        | {"level_code": "a", "exception_code": "ORD-006", "owner_team": "FINANCE", "age_band": "0-7", "item_count": 1}
        | {"open_amount": "1", "net_amount": "-1", "oldest_date": "2026-06-20", "oldest_days": 3},
        {"entity_code": "E", "marketplace_code": "M", "level_code": "a", "exception_code": "ORD-009", "item_count": 1}
        | {"owner_team": "FINANCE", "age_band": "0-7", "oldest_date": "2026-06-20", "oldest_days": 3},  # without money
    ],
}


def build(path: Path, rows: dict[str, list[dict[str, Any]]] | None = None) -> Path:
    """Write the marts; those that are not named are empty."""
    content = ROWS | (rows or {})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema marts")
        for mart, columns in contracts().items():
            kinds = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
            connection.execute(f'create table marts."{mart}" ({kinds})')
            for row in content.get(mart, ()):
                names = ", ".join(f'"{name}"' for name in row)
                marks = ", ".join("?" * len(row))
                connection.execute(f'insert into marts."{mart}" ({names}) values ({marks})', list(row.values()))
    return path
