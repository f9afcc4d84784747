"""What holds on any data (accounting reference, section 14), each as a query for the rows that break it.

Every query gives `owner`, the marketplace concerned, and `what`, the row in words. No row may come back, whatever was
planted: a fault is an exception, never a wrong sum. They are asked of every generated world that `make accuracy` plays.
What needs a second run of the same world (9, 12, 15) is proved elsewhere: test_catalogue.py says where.
"""

from __future__ import annotations

from collections.abc import Mapping

LEVELS = (
    "rec_orders",
    "rec_settlement_lines",
    "rec_cycles",
    "rec_documents",
    "rec_receipts",
    "rec_journals",
    "rec_clearing",
    "rec_stock",
    "rec_dispatches",
    "rec_refunds",
    "rec_receivables",
    "rec_sale_taxes",
    "rec_offers",
)
_STATUSES = "('MATCHED', 'MATCHED_WITHIN_TOLERANCE', 'TIMING', 'EXCEPTION', 'EXCLUDED')"
_OF_THE_ERP = (
    "('REVENUE_GOODS', 'REVENUE_SHIPPING', 'SALES_RETURNS', 'SHIPPING_REFUNDS', 'OUTPUT_VAT', 'COGS', 'STOCK')"
)

INVARIANTS: Mapping[str, str] = {
    "1 a journal balances and has two lines": """
        select marketplace_code as owner, journal_key as what
        from marts.journal_lines
        group by marketplace_code, journal_key
        having sum(functional_debit) <> sum(functional_credit) or sum(debit) <> sum(credit) or count(*) < 2
    """,
    "1 a journal line has one side, never negative": """
        select marketplace_code as owner, journal_key || ' line ' || line_no as what
        from marts.journal_lines
        where
            least(debit, credit, coalesce(functional_debit, 0), coalesce(functional_credit, 0)) < 0
            or (debit <> 0 and credit <> 0)
            or (functional_debit <> 0 and functional_credit <> 0)
            -- Exchange differences and revaluations are nil in the document's currency, and only they.
            or (
                debit = 0 and credit = 0
                and (
                    coalesce(functional_debit, 0) + coalesce(functional_credit, 0) = 0
                    or currency_code = functional_currency_code
                    or not (kind in ('FX_REVALUATION', 'FX_REVALUATION_REVERSAL') or account_role = 'FX_REALISED')
                )
            )
    """,
    "2 a line is what it credits less what it debits, and does one of them": """
        select marketplace_code as owner, transaction_line_id as what
        from ledger.int_ledger__settlement_lines
        where amount <> amount_credited - amount_debited or (amount_credited <> 0 and amount_debited <> 0)
    """,
    "3 what was settled less what was paid is the balance": """
        select marketplace_code as owner, max(billing_cycle_id) as what
        from marts.fct_cycles
        group by marketplace_code, shop_id, currency_code
        having
            min_by(opening_amount, cycle_number) + sum(net_amount + break_amount - payout_amount)
            <> max_by(closing_amount, cycle_number)
    """,
    "3 the identity of a cycle": """
        select marketplace_code as owner, billing_cycle_id as what
        from marts.fct_cycles
        where closing_amount <> opening_amount + net_amount + break_amount - payout_amount
    """,
    "3 cycles are whole: net is the sum of the lines": """
        select cycles.marketplace_code as owner, cycles.billing_cycle_id as what
        from marts.fct_cycles as cycles
        left join marts.fct_settlement_lines as lines
            on
                cycles.marketplace_code = lines.marketplace_code
                and cycles.billing_cycle_id = lines.billing_cycle_id
                and cycles.currency_code = lines.currency_code
                and lines.is_in_net
        group by
            cycles.marketplace_code, cycles.billing_cycle_id, cycles.shop_id, cycles.currency_code, cycles.net_amount
        having cycles.net_amount <> coalesce(sum(lines.amount), 0)
    """,
    # A settlement-led marketplace has no account of its customer in the ledger: its settlements book the sales.
    "4 what the ERP books from its invoices, no order-led settlement touches": f"""
        select marketplace_code as owner, journal_key || ' ' || account_role as what
        from marts.journal_lines
        where
            kind = 'SETTLEMENT' and account_role in {_OF_THE_ERP}
            and marketplace_code in (
                select marketplace_code from marts.journal_lines
                where kind = 'SETTLEMENT' and account_role = 'AR_MARKETPLACE'
            )
    """,
    "5 what passes through is nil in every journal": """
        select marketplace_code as owner, journal_key as what
        from marts.journal_lines
        where account_role in ('MARKETPLACE_TAX_PASSTHROUGH', 'RC_OUTPUT_VAT', 'RC_INPUT_VAT')
        group by marketplace_code, journal_key
        having sum(debit) <> sum(credit)
    """,
    "6 clearing is the sum of its open items": """
        select
            rolled.marketplace_code as owner, rolled.closing_amount || ' against ' || coalesce(items.amount, 0) as what
        from marts.clearing_rollforward as rolled
        left join (
            select marketplace_code, currency_code, sum(open_amount) as amount
            from marts.clearing_open_items group by marketplace_code, currency_code
        ) as items on rolled.marketplace_code = items.marketplace_code and rolled.currency_code = items.currency_code
        where
            rolled.account_role = 'MARKETPLACE_CLEARING' and rolled.closing_amount <> coalesce(items.amount, 0)
            and rolled.period = (
                select max(newest.period) from marts.clearing_rollforward as newest
                where
                    newest.marketplace_code = rolled.marketplace_code and newest.currency_code = rolled.currency_code
                    and newest.account_role = rolled.account_role
            )
    """,
    "6 an order that is sold, refunded and matched owes nothing": """
        select marketplace_code as owner, subject_id as what
        from marts.rec_receivables where status = 'MATCHED' and residual_amount <> 0
    """,
    "7 what journals move on other accounts is in the ledger, on its way, or a finding": """
        select marketplace_code as owner, account_role || ' ' || period || ' ' || unexplained_amount as what
        from marts.account_rollforward where unexplained_amount <> 0
    """,
    "7.2 the VAT of every month is supported to the penny": """
        select max(marketplace_code) as owner, entity_code || ' ' || period || ' ' || account_role as what
        from marts.vat_support where not is_memo
        group by entity_code, period, account_role having sum(tax_amount) <> 0
    """,
    "8 what is accrued at a month's end is taken back in the next": """
        select marketplace_code as owner, source_id || ' ' || account_role as what
        from marts.journal_lines
        where
            kind in (
                'FEE_ACCRUAL', 'FEE_ACCRUAL_REVERSAL', 'NEGATIVE_BALANCE_RECLASS', 'RECLASS_REVERSAL',
                'FX_REVALUATION', 'FX_REVALUATION_REVERSAL', 'SELLER_DEBIT_RECLASS'
            )
        group by
            marketplace_code,
            replace(replace(replace(kind, '_REVERSAL', ''), 'NEGATIVE_BALANCE_', ''), 'SELLER_DEBIT_', ''),
            source_id, account_role, shop_id, currency_code
        having sum(debit) <> sum(credit) or sum(functional_debit) <> sum(functional_credit)
    """,
    "10 nobody is given back more than was paid, but where that is the finding": """
        select lines.marketplace_code as owner, lines.order_line_id as what
        from marts.fct_order_lines as lines
        left join marts.rec_refunds as refunds
            on
                lines.marketplace_code = refunds.marketplace_code and lines.order_line_id = refunds.order_line_id
                and refunds.exception_code = 'CRN-004'
        where
            refunds.order_line_id is null
            and (
                lines.refunded_amount > lines.price_amount - lines.cancelled_amount
                or lines.refunded_shipping_amount > lines.shipping_amount - lines.cancelled_shipping_amount
            )
    """,
    "11 the profitability of a month is the ledger's, role by role": """
        select
            max(books.marketplace_code) as owner,
            tied.entity_code || ' ' || tied.period || ' ' || tied.account_role || ' ' || tied.difference_amount as what
        from marts.profitability_tie_out as tied
        left join (select distinct entity_code, marketplace_code from marts.journals) as books
            on tied.entity_code = books.entity_code
        where tied.difference_amount <> 0
        group by tied.entity_code, tied.period, tied.account_role, tied.difference_amount
    """,
    "9 a journal key is live once": """
        select marketplace_code as owner, journal_key as what
        from marts.journals group by marketplace_code, journal_key having count(*) > 1
    """,
    "11 what is allocated of a receipt is no more than it brought": """
        select allocations.marketplace_code as owner, allocations.receipt_id as what
        from marts.fct_receipt_allocations as allocations
        inner join marts.fct_receipts as receipts on allocations.receipt_id = receipts.receipt_id
        group by allocations.marketplace_code, allocations.receipt_id, receipts.amount
        having sum(allocations.received_amount) > receipts.amount
    """,
    "11 what is allocated to a pay-out is no more than it paid, but for what was over-paid": """
        select allocations.marketplace_code as owner, allocations.billing_cycle_id as what
        from marts.fct_receipt_allocations as allocations
        inner join marts.fct_cycles as cycles
            on
                allocations.marketplace_code = cycles.marketplace_code
                and allocations.billing_cycle_id = cycles.billing_cycle_id
        group by allocations.marketplace_code, allocations.billing_cycle_id, cycles.payout_amount
        having sum(allocations.cash_amount - allocations.excess_amount + allocations.fee_amount) > cycles.payout_amount
    """,
    "14 a seller's balance is opening, movements and pay-outs of its cycles": """
        select now.marketplace_code as owner, now.billing_cycle_id as what
        from marts.fct_cycles as now
        inner join marts.fct_cycles as before
            on
                now.marketplace_code = before.marketplace_code and now.shop_id = before.shop_id
                and now.currency_code = before.currency_code and now.cycle_number = before.cycle_number + 1
        where now.opening_amount <> before.closing_amount
    """,
    "14 sellers add up to their control account": """
        select control.marketplace_code as owner, control.account_role || ' ' || control.amount as what
        from (
            select lines.marketplace_code, lines.account_role, sum(lines.credit - lines.debit) as amount
            from marts.journal_lines as lines
            inner join marts.journals as journals on lines.journal_key = journals.journal_key
            where lines.account_type = 'SELLER' and not journals.is_blocked
            group by lines.marketplace_code, lines.account_role
        ) as control
        left join (
            -- What was owed before the books began is in no journal.
            select
                marketplace_code,
                account_role,
                sum(case when is_newest then closing_amount else 0 end)
                - sum(case when is_first then opening_amount else 0 end) as amount
            from (
                select
                    *,
                    row_number() over (
                        partition by marketplace_code, shop_id, account_role, currency_code order by period
                    ) = 1 as is_first
                from marts.seller_ledger
            ) as ledger
            group by marketplace_code, account_role
        ) as sellers
            on control.marketplace_code = sellers.marketplace_code and control.account_role = sellers.account_role
        where control.amount <> coalesce(sellers.amount, 0)
    """,
    "14 what a seller is owed is what the marketplace states, unless its statement is a finding": """
        select ledger.marketplace_code as owner, ledger.shop_id || ' ' || ledger.difference_amount as what
        from marts.seller_ledger as ledger
        left join marts.rec_clearing as findings
            on
                ledger.marketplace_code = findings.marketplace_code and ledger.shop_id = findings.subject_id
                and findings.exception_code = 'CLR-005'
        where ledger.difference_amount <> 0 and findings.subject_id is null
    """,
    "14 what the bank paid is what sellers were paid": """
        select paid.marketplace_code as owner, 'paid out' as what
        from (
            select marketplace_code, sum(payout_amount) as amount from marts.seller_balances
            where pay_out_state = 'PAID' group by marketplace_code
        ) as paid
        left join (
            select
                marketplace_code,
                sum(case when account_role = 'BANK' then credit - debit else 0 end) as bank_amount,
                sum(case when account_role = 'SELLER_PAYABLE' then debit - credit else 0 end) as seller_amount
            from marts.journal_lines where kind = 'SELLER_PAYOUT' group by marketplace_code
        ) as booked on paid.marketplace_code = booked.marketplace_code
        where paid.amount <> coalesce(booked.bank_amount, 0) or paid.amount <> coalesce(booked.seller_amount, 0)
    """,
    "an exception that is open has one row, an owner and a time": """
        select marketplace_code as owner, exception_code || ' ' || subject_id as what
        from marts.exceptions
        where status <> 'RESOLVED'
        group by marketplace_code, exception_code, subject_type, subject_id
        having count(*) > 1 or min(owner_team) is null or min(due_at) is null or min(root_cause) is null
    """,
} | {
    f"13 every subject of {level} has one status per rule": f"""
        select marketplace_code as owner, rule_code || ' ' || subject_id as what
        from marts.{level} where status not in {_STATUSES} or (status = 'EXCEPTION') <> (exception_code is not null)
    """
    for level in LEVELS
}
