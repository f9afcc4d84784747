"""What an evidence pack holds: one row set per file, each a query on the published marts."""

from __future__ import annotations

from dataclasses import dataclass

UNSAFE_FIRST = ("=", "+", "-", "@", "\t", "\r")
"""A text that begins so is taken for a formula by spreadsheets; in CSV and workbook an apostrophe goes before it."""


@dataclass(frozen=True, slots=True)
class RowSet:
    """`query` selects the rows of the attached marts (schema p) for $entity and $period, in a fixed order. `title` is
    the workbook's sheet, None for what is too long or too plain for one; `amounts` are columns of money.
    """

    name: str
    query: str
    title: str | None = None
    amounts: tuple[str, ...] = ()


CONTENTS: tuple[RowSet, ...] = (
    RowSet(
        "checklist",
        """
        select check_code, title, working_day, owner_team, is_blocking, is_done, open_count, evidence
        from p.close_readiness where entity_code = $entity and period = $period order by check_code
        """,
        "Checklist",
    ),
    RowSet(
        "bridge",
        """
        select bridge.marketplace_code, bridge.billing_cycle_id, bridge.cycle_date, bridge.step_no, bridge.step_name,
            bridge.amount, bridge.currency_code
        from p.settlement_bridge as bridge
        where bridge.entity_code = $entity and strftime(bridge.cycle_date, '%Y-%m') = $period
        order by all
        """,
        "Bridge",
        ("amount",),
    ),
    RowSet(
        "cycles",
        """
        select marketplace_code, billing_cycle_id, cycle_date, pay_out_state, pay_out_date, line_count, opening_amount,
            net_amount, break_amount, payout_amount, closing_amount, received_amount, currency_code, journal_key
        from p.fct_cycles where entity_code = $entity and strftime(cycle_date, '%Y-%m') = $period
        order by marketplace_code, cycle_date, billing_cycle_id
        """,
        "Cycles",
        ("opening_amount", "net_amount", "break_amount", "payout_amount", "closing_amount", "received_amount"),
    ),
    RowSet(
        "roll_forward",
        """
        select marketplace_code, account_role, account_code, currency_code, opening_amount, settlement_amount,
            receipt_amount, correction_amount, closing_amount, timing_amount, finding_amount, brought_forward_amount,
            (unexplained_amount - brought_forward_amount)::decimal(18, 2) as difference_amount, erp_closing_amount
        from (
            select
                *,
                lag(unexplained_amount, 1, 0) over (
                    partition by marketplace_code, account_role, currency_code order by period
                ) as brought_forward_amount
            from p.clearing_rollforward where entity_code = $entity
        )
        where period = $period
        order by marketplace_code, account_role, currency_code
        """,
        "Roll-forward",
        (
            "opening_amount",
            "settlement_amount",
            "receipt_amount",
            "correction_amount",
            "closing_amount",
            "timing_amount",
            "finding_amount",
            "brought_forward_amount",
            "difference_amount",
            "erp_closing_amount",
        ),
    ),
    RowSet(
        "account_roll_forward",
        """
        select marketplace_code, account_role, currency_code, opening_amount, invoice_amount, credit_note_amount,
            settlement_amount, accrual_amount, reversal_amount, other_amount, closing_amount, timing_amount,
            finding_amount, by_hand_amount, unexplained_amount, erp_closing_amount
        from p.account_rollforward where entity_code = $entity and period = $period
        order by marketplace_code, account_role, currency_code
        """,
        "Other accounts",
        (
            "opening_amount",
            "invoice_amount",
            "credit_note_amount",
            "settlement_amount",
            "accrual_amount",
            "reversal_amount",
            "other_amount",
            "closing_amount",
            "timing_amount",
            "finding_amount",
            "by_hand_amount",
            "unexplained_amount",
            "erp_closing_amount",
        ),
    ),
    RowSet(
        "cut_off",
        """
        select marketplace_code, test_code, subject_type, subject_id, event_date, booked_date, booked_period,
            document_no, amount, currency_code, result
        from p.cut_off_tests where entity_code = $entity and period = $period
        order by marketplace_code, test_code, subject_id
        """,
        "Cut-off",
        ("amount",),
    ),
    RowSet(
        "vat_support",
        """
        select vat_period, account_role, marketplace_code, section, is_memo, country_code, tax_code, tax_role,
            rate_percent, analysis_code, row_count, net_amount, tax_amount, currency_code
        from p.vat_support where entity_code = $entity and period = $period
        order by account_role, section, marketplace_code, country_code, tax_code, analysis_code
        """,
        "VAT",
        ("net_amount", "tax_amount"),
    ),
    RowSet(
        "tie_out",
        """
        select marketplace_code, currency_code, side, item_kind, subject_type, subject_id, amount
        from p.balance_tie_out where entity_code = $entity
        order by marketplace_code, currency_code, side, item_kind, subject_type, subject_id
        """,
        "Tie-out",
        ("amount",),
    ),
    RowSet(
        "journals",
        """
        select marketplace_code, journal_key, wire_key, kind, posting_date, period, books_period, currency_code,
            total_debit, total_credit, line_count, status, is_blocked, exception_code, erp_document_id
        from p.journals
        where entity_code = $entity and (period = $period or books_period = $period)
        order by journal_key
        """,
        "Journals",
        ("total_debit", "total_credit"),
    ),
    RowSet(
        "journal_lines",
        """
        select lines.marketplace_code, lines.journal_key, lines.line_no, lines.account_role, lines.account_code,
            lines.debit, lines.credit, lines.currency_code, lines.tax_code, lines.narrative, lines.erp_document_id
        from p.journal_lines as lines
        inner join p.journals as journals on lines.journal_key = journals.journal_key
        where journals.entity_code = $entity and (journals.period = $period or journals.books_period = $period)
        order by lines.journal_key, lines.line_no
        """,
        "Journal lines",
        ("debit", "credit"),
    ),
    RowSet(
        "receipts",
        """
        select marketplace_code, subject_type, subject_id, rule_code, status, exception_code, expected_amount,
            actual_amount, delta_amount, currency_code, left_id, right_id, subject_date
        from p.rec_receipts where entity_code = $entity and strftime(subject_date, '%Y-%m') = $period
        order by marketplace_code, subject_type, subject_id
        """,
        "Matched",
        ("expected_amount", "actual_amount", "delta_amount"),
    ),
    RowSet(
        "documents",
        """
        select marketplace_code, subject_type, subject_id, rule_code, status, exception_code, expected_amount,
            actual_amount, delta_amount, currency_code, subject_date
        from p.rec_documents where entity_code = $entity and strftime(subject_date, '%Y-%m') = $period
        order by marketplace_code, subject_type, subject_id, rule_code
        """,
        "Documents",
        ("expected_amount", "actual_amount", "delta_amount"),
    ),
    RowSet(
        "open_items",
        """
        select marketplace_code, subject_type, subject_id, item_kind, open_amount, currency_code, since_date, days_open
        from p.clearing_open_items where entity_code = $entity order by marketplace_code, since_date, subject_id
        """,
        "Open items",
        ("open_amount",),
    ),
    RowSet(
        "ageing",
        """
        select marketplace_code, level_code, exception_code, owner_team, age_band, item_count, open_amount, net_amount,
            currency_code, oldest_date
        from p.reconciliation_debt where entity_code = $entity
        order by marketplace_code, level_code, exception_code, age_band, currency_code
        """,
        "Ageing",
        ("open_amount", "net_amount"),
    ),
    RowSet(
        "exceptions",
        """
        select exception_id, severity, exception_code, status, owner_team, root_cause, marketplace_code, subject_type,
            subject_id, amount_at_risk, currency_code, first_seen_at, due_at, summary, resolution, decision_key
        from p.exceptions where entity_code = $entity order by severity, exception_code, exception_id
        """,
        "Exceptions",
        ("amount_at_risk",),
    ),
    RowSet(
        "figures",
        """
        select marketplace_code, figure_code, currency_code, first_closed_amount, restated_amount, difference_amount,
            is_locked
        from p.period_figures where entity_code = $entity and period = $period
        order by marketplace_code, figure_code, currency_code
        """,
        "First closed, restated",
        ("first_closed_amount", "restated_amount", "difference_amount"),
    ),
    RowSet(
        "controls",
        """
        select control_code, vendor, account, feed, measure, landed_count, duplicate_count, records_in_count,
            staged_count, superseded_count, quarantined_count, raw_amount, staged_amount, ledger_amount, difference,
            is_balanced
        from p.control_totals where entity_code = $entity order by control_code, vendor, account, feed, measure
        """,
        "Controls",
    ),
    RowSet(
        "actions",
        """
        select action_key, kind, account, wire_key, amount, currency_code, state, reason, proposed_at, decided_at,
            sent_at, verified_at, vendor_ids
        from p.actions where entity_code = $entity and kind = 'JOURNAL' order by action_key
        """,
        "Postings",
        ("amount",),
    ),
    RowSet(
        "settlement_lines",
        """
        select lines.marketplace_code, lines.transaction_line_id, lines.transaction_type, lines.account_role,
            lines.amount, lines.currency_code, lines.line_date, lines.payment_state, lines.billing_cycle_id,
            lines.order_id, lines.order_line_id, lines.refund_id, lines.is_in_net, lines.order_match_status,
            lines.order_exception_code, lines.cycle_match_status
        from p.fct_settlement_lines as lines
        inner join p.fct_cycles as cycles
            on lines.marketplace_code = cycles.marketplace_code and lines.billing_cycle_id = cycles.billing_cycle_id
        where cycles.entity_code = $entity and strftime(cycles.cycle_date, '%Y-%m') = $period
        order by lines.marketplace_code, lines.transaction_line_id
        """,
        None,
        ("amount",),
    ),
)
