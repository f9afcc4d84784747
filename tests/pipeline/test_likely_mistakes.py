"""Every likely mistake of the accounting reference (section 15) is a test named after it.

Three kinds of proof. BOOKS: a query for the rows in which the mistake would stand; the finished installation has none,
and each query is shown the mistake on a copy of its marts, where it must find it. EXAMPLES: worked examples whose
figures the mistake would change (`make examples` plays them). RULES: dbt unit tests of the rule's edges
(test_unit_tests.py runs them).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.pipeline.site import Site

pytestmark = pytest.mark.pipeline

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT.parent / "shared" / "reference" / "accounting.md"
BOTH = "in ('BRICO', 'HOMELY')"
REVENUE = "('REVENUE_GOODS', 'REVENUE_SHIPPING', 'SALES_RETURNS', 'SHIPPING_REFUNDS', 'OUTPUT_VAT', 'COGS', 'STOCK')"

MISTAKES = {
    1: "charged total for the pay-out, or the pay-out for the net",
    2: "revenue twice: ERP invoice and settlement",
    3: "straight to the AR or VAT control account",
    4: "the log as append-only, or NOT_APPLICABLE lines counted",
    5: "PAYMENT in the sum, or posted",
    6: "manual-credit VAT as output VAT, ORDER_FEE_AMOUNT as a charge, reserve as a cost",
    7: "operator-remitted tax as revenue, VAT or AR",
    8: "no VAT on commission read as zero-rated",
    9: "code 0/2 swap in Sage 200, O-GB as outside the scope in NetSuite",
    10: "VAT rounded on totals, or the last refund without the remainder",
    11: "input VAT or undispatched orders accrued, or no reversal",
    12: "UTC dates at month end",
    13: "revenue on the discounted price when the operator funds the discount",
    14: "bank differences plugged, fees guessed, ambiguous receipts matched",
    15: "AR relieved at the settlement rate",
    16: "commission refund expected pro rata where the contract retains a share",
    17: "settlement of cancelled lines expected",
    18: "a negative cycle as a loss, or as a missing receipt",
    19: "duplicates by amount only or by key only",
    20: "fifty exceptions for one missing order",
    21: "operator: GMV as revenue, sellers netted against each other",
    22: "proxy email as customer key",
}
"""What section 15 lists, shortened; the list of the reference is compared with it below."""

BOOKS: dict[str, tuple[str, str]] = {
    "1 the pay-out for the net": (
        """
        select lines.source_id as what
        from marts.journal_lines as lines
        inner join marts.fct_cycles as cycles
            on lines.marketplace_code = cycles.marketplace_code and lines.source_id = cycles.billing_cycle_id
        where lines.kind = 'SETTLEMENT' and lines.account_role = 'MARKETPLACE_CLEARING'
        group by lines.source_id, cycles.net_amount
        having sum(lines.debit - lines.credit) <> cycles.net_amount
        """,
        """
        update marts.journal_lines set debit = cycles.payout_amount
        from marts.fct_cycles as cycles
        where journal_lines.source_id = cycles.billing_cycle_id and journal_lines.account_role = 'MARKETPLACE_CLEARING'
            and cycles.opening_amount <> 0 and cycles.payout_amount > 0
        """,
    ),
    "1 the charged total for the pay-out": (
        """
        select cycles.billing_cycle_id as what
        from marts.fct_cycles as cycles
        left join marts.fct_settlement_lines as lines
            on
                cycles.marketplace_code = lines.marketplace_code and cycles.billing_cycle_id = lines.billing_cycle_id
                and lines.transaction_type = 'PAYMENT'
        group by cycles.billing_cycle_id, cycles.shop_id, cycles.currency_code, cycles.payout_amount
        having cycles.payout_amount <> coalesce(-sum(lines.amount), 0)
        """,
        "update marts.fct_cycles set payout_amount = 99.99 where payout_amount > 0",
    ),
    "2 revenue twice": (
        f"""
        select journal_key as what from marts.journal_lines
        where marketplace_code {BOTH} and kind in ('SETTLEMENT', 'PAYOUT_RECEIPT') and account_role in {REVENUE}
        """,
        "update marts.journal_lines set account_role = 'REVENUE_GOODS' where account_role = 'AR_MARKETPLACE'",
    ),
    "3 VAT without a document's line and code": (
        """
        select journal_key as what from marts.journal_lines
        where account_type = 'VAT' and account_role not like 'RC_%' and (tax_code is null or tax_line_of is null)
        """,
        "update marts.journal_lines set tax_code = null where account_role = 'INPUT_VAT'",
    ),
    "3 the customer's account moved by other than sales and refunds": (
        """
        select journal_key as what from marts.journal_lines
        where account_role = 'AR_MARKETPLACE' and (account_type <> 'CUSTOMER' or kind <> 'SETTLEMENT')
        """,
        "update marts.journal_lines set account_type = 'NOMINAL' where account_role = 'AR_MARKETPLACE'",
    ),
    "4 lines stuck in a state that was left": (
        """
        select lines.transaction_line_id as what
        from marts.fct_settlement_lines as lines
        where lines.billing_cycle_id is not null and lines.payment_state in ('PENDING', 'PAYABLE')
        """,
        "update marts.fct_settlement_lines set payment_state = 'PENDING' where transaction_type = 'COMMISSION_FEE'",
    ),
    "4 informative lines counted": (
        """
        select transaction_line_id as what from marts.fct_settlement_lines
        where payment_state = 'NOT_APPLICABLE' and is_in_net
        """,
        "update marts.fct_settlement_lines set is_in_net = true",
    ),
    "5 PAYMENT counted or posted": (
        """
        select transaction_line_id as what from marts.fct_settlement_lines
        where transaction_type = 'PAYMENT' and (is_in_net or account_role is not null)
        """,
        "update marts.fct_settlement_lines set account_role = 'BANK' where transaction_type = 'PAYMENT'",
    ),
    "6 the roles of manual credits, customers' fees and reserves": (
        f"""
        select transaction_line_id as what from marts.fct_settlement_lines
        where marketplace_code {BOTH} and (
            (transaction_type like 'MANUAL_%_VAT' and account_role <> 'INPUT_VAT')
            or (transaction_type = 'ORDER_FEE_AMOUNT' and account_role like '%EXPENSE')
            or (transaction_type like 'RESERVE_%' and account_role <> 'MARKETPLACE_RESERVE')
        )
        """,
        "update marts.fct_settlement_lines set account_role = 'OUTPUT_VAT' where transaction_type like '%CREDIT_VAT'",
    ),
    "7 remitted tax outside the pass-through": (
        f"""
        select order_id as what from marts.fct_settlement_lines
        where marketplace_code {BOTH} and is_in_net
        group by order_id
        having
            max(case when transaction_type like 'OPERATOR_REMITTED_%' then 1 else 0 end) = 1
            and (
                sum(case when account_role = 'MARKETPLACE_TAX_PASSTHROUGH' then amount else 0 end) <> 0
                or max(case
                    when transaction_type like 'OPERATOR_REMITTED_%' and account_role <> 'MARKETPLACE_TAX_PASSTHROUGH'
                        then 1 else 0
                end) = 1
            )
        """,
        """
        update marts.fct_settlement_lines set account_role = 'AR_MARKETPLACE'
        where transaction_type = 'ORDER_AMOUNT_TAX'
        """,
    ),
    "8 fees from abroad without a reverse charge": (
        f"""
        select lines.billing_cycle_id as what
        from marts.fct_settlement_lines as lines
        left join marts.rec_settlement_lines as tests
            on
                lines.marketplace_code = tests.marketplace_code and lines.billing_cycle_id = tests.billing_cycle_id
                and tests.rule_code = 'B170_REVERSE_CHARGE' and tests.expected_amount > 0
        where
            lines.marketplace_code {BOTH} and lines.transaction_type = 'INVOICEABLE_ONE_OFF_DEBIT'
            and lines.billing_cycle_id is not null and tests.billing_cycle_id is null
        """,
        "update marts.rec_settlement_lines set expected_amount = 0 where rule_code = 'B170_REVERSE_CHARGE'",
    ),
    "9 what bears no VAT under the code of exempt goods": (
        f"""
        select order_lines.order_line_id as what
        from marts.fct_order_lines as order_lines
        left join marts.exceptions as known
            on known.subject_id in (order_lines.order_line_id, order_lines.order_id)
        where
            order_lines.marketplace_code {BOTH} and order_lines.erp_tax_amount = 0 and known.subject_id is null
            and order_lines.erp_quantity > 0 and order_lines.erp_tax_code in ('0', '99')
        """,
        "update marts.fct_order_lines set erp_tax_code = '0' where erp_tax_code = '2'",
    ),
    "11 input VAT accrued": (
        """
        select journal_key as what from marts.journal_lines
        where kind in ('FEE_ACCRUAL', 'UNBILLED_ACCRUAL') and account_role like '%INPUT_VAT%'
        """,
        "update marts.journal_lines set account_role = 'INPUT_VAT' where account_role = 'ACCRUED_MARKETPLACE_FEES'",
    ),
    "11 commission accrued of what had not left or was settled": (
        f"""
        select accrued.journal_key as what
        from marts.journal_lines as accrued
        left join (
            select order_lines.marketplace_code, sum(order_lines.commission_amount) as amount
            from marts.fct_order_lines as order_lines
            inner join marts.fct_orders as orders
                on
                    order_lines.marketplace_code = orders.marketplace_code
                    and order_lines.order_id = orders.order_id and not orders.is_excluded
            where
                order_lines.shipped_at + interval 1 hour < timestamp '2026-07-01'
                and not exists (
                    select 1 from marts.fct_settlement_lines as settled
                    inner join marts.fct_cycles as cycles
                        on
                            settled.marketplace_code = cycles.marketplace_code
                            and settled.billing_cycle_id = cycles.billing_cycle_id
                            and cycles.cycle_date <= date '2026-06-30'
                    where
                        settled.order_line_id = order_lines.order_line_id
                        and settled.transaction_type = 'COMMISSION_FEE'
                )
            group by order_lines.marketplace_code
        ) as unsettled on accrued.marketplace_code = unsettled.marketplace_code
        where
            accrued.marketplace_code {BOTH} and accrued.kind = 'FEE_ACCRUAL' and accrued.period = '2026-06'
            -- Less what is due back on refunds, so never more than this.
            and accrued.account_role = 'COMMISSION_EXPENSE' and accrued.debit > coalesce(unsettled.amount, 0)
        """,
        "update marts.journal_lines set debit = debit + 500 where kind = 'FEE_ACCRUAL' and debit > 0",
    ),
    "11 the reversal forgotten": (
        """
        select accrual.journal_key as what
        from marts.journal_lines as accrual
        left join marts.journal_lines as reversal
            on
                accrual.marketplace_code = reversal.marketplace_code and accrual.source_id = reversal.source_id
                and reversal.kind = accrual.kind || '_REVERSAL' and accrual.account_role = reversal.account_role
                and reversal.posting_date = accrual.posting_date + 1
                and accrual.debit = reversal.credit and accrual.credit = reversal.debit
        where accrual.kind = 'FEE_ACCRUAL' and reversal.journal_key is null
        """,
        "update marts.journal_lines set credit = credit + 1 where kind = 'FEE_ACCRUAL_REVERSAL' and credit > 0",
    ),
    "12 the day of a line in UTC": (
        """
        select transaction_line_id as what from marts.fct_settlement_lines
        where
            created_at >= timestamp '2026-03-29 01:00' and created_at < timestamp '2026-10-25 01:00'
            and line_date <> cast(created_at + interval 1 hour as date)
        """,
        "update marts.fct_settlement_lines set line_date = cast(created_at as date)",
    ),
    "12 the day of a cycle in UTC": (
        """
        select billing_cycle_id as what from marts.fct_cycles
        where
            created_at >= timestamp '2026-03-29 01:00' and created_at < timestamp '2026-10-25 01:00'
            and cycle_date <> cast(created_at + interval 1 hour as date)
        """,
        "update marts.fct_cycles set cycle_date = cycle_date - 1",
    ),
    "13 revenue without what the operator paid": (
        f"""
        select order_lines.order_line_id as what
        from marts.fct_order_lines as order_lines
        inner join marts.fct_settlement_lines as settled
            on
                order_lines.marketplace_code = settled.marketplace_code
                and order_lines.order_line_id = settled.order_line_id and settled.transaction_type = 'ORDER_AMOUNT'
        left join marts.exceptions as known
            on known.subject_id in (order_lines.order_line_id, order_lines.order_id)
        where
            order_lines.marketplace_code {BOTH} and order_lines.operator_funded_amount > 0
            and order_lines.cancelled_amount = 0 and known.subject_id is null
            and (settled.amount <> order_lines.price_amount or order_lines.erp_gross_amount < order_lines.price_amount)
        """,
        "update marts.fct_order_lines set erp_gross_amount = price_amount - operator_funded_amount",
    ),
    "14 differences plugged to suspense or exchange": (
        f"""
        select lines.journal_key as what
        from marts.journal_lines as lines
        left join marts.fct_receipt_allocations as exchanged
            on lines.source_id = exchanged.receipt_id and exchanged.exchange_amount <> 0
        where
            lines.marketplace_code {BOTH} and (
                lines.account_role = 'SUSPENSE' or (lines.account_role = 'FX_REALISED' and exchanged.receipt_id is null)
            )
        """,
        "update marts.journal_lines set account_role = 'SUSPENSE' where account_role = 'BANK_CHARGES'",
    ),
    "14 a bank fee beyond its pattern guessed": (
        """
        select receipt_id as what from marts.fct_receipt_allocations
        where fee_amount > 10 or fee_amount > cleared_amount * 0.05
        """,
        "update marts.fct_receipt_allocations set fee_amount = 10.01",
    ),
    "14 receipts that need a person posted": (
        """
        select receipt_id as what from marts.fct_receipts
        where exception_code in ('BNK-007', 'BNK-008', 'BNK-011', 'BNK-012') and journal_key is not null
        """,
        "update marts.fct_receipts set journal_key = 'X' where exception_code = 'BNK-011'",
    ),
    "17 settlement of cancelled lines expected": (
        """
        select tests.subject_id as what
        from marts.rec_settlement_lines as tests
        inner join marts.fct_order_lines as order_lines
            on
                tests.marketplace_code = order_lines.marketplace_code
                and tests.order_line_id = order_lines.order_line_id
        where
            tests.exception_code = 'SET-001' and order_lines.total_amount <= order_lines.cancelled_amount
        """,
        "update marts.fct_order_lines set cancelled_amount = total_amount",
    ),
    "18 a negative cycle as a missing receipt": (
        """
        select cycles.billing_cycle_id as what
        from marts.fct_cycles as cycles
        inner join marts.exceptions as exceptions
            on cycles.billing_cycle_id = exceptions.subject_id and exceptions.exception_code like 'BNK-%'
        where cycles.opening_amount + cycles.net_amount <= 0 and cycles.payout_amount = 0
        """,
        """
        update marts.exceptions set exception_code = 'BNK-001'
        where subject_id in (select billing_cycle_id from marts.fct_cycles where closing_amount < 0)
        """,
    ),
    "18 a negative cycle as a loss": (
        """
        select cycles.billing_cycle_id as what
        from marts.fct_cycles as cycles
        inner join marts.journals as journals
            on
                cycles.marketplace_code = journals.marketplace_code
                and cycles.billing_cycle_id = journals.billing_cycle_id
        left join marts.journal_lines as lines
            on journals.journal_key = lines.journal_key and lines.account_role = 'MARKETPLACE_CLEARING'
        where cycles.net_amount < 0 and coalesce(lines.credit, 0) <> -cycles.net_amount
        """,
        "update marts.journal_lines set credit = 0",
    ),
    "20 fifty exceptions for one missing order": (
        """
        select others.exception_code || ' ' || others.subject_id as what
        from marts.exceptions as missing
        inner join marts.exceptions as others
            on
                missing.marketplace_code = others.marketplace_code
                and others.subject_id like missing.subject_id || '%'
                and others.exception_id <> missing.exception_id
        where
            missing.exception_code = 'ORD-001' and missing.status = 'OPEN' and others.status = 'OPEN'
            -- Whose turn it is to accept is another matter than what the books lack.
            and others.exception_code not in ('ORD-012', 'ORD-001')
        """,
        """
        update marts.exceptions set subject_id = (
            select min(missing.subject_id) from marts.exceptions as missing where missing.exception_code = 'ORD-001'
        ) || '-1' where exception_code = 'SET-003'
        """,
    ),
    "21 GMV as revenue": (
        """
        select shop_id as what from marts.channel_profitability
        where
            perspective = 'OPERATOR' and gmv_amount <> 0 and contribution_2_amount
            <> commission_amount + order_fee_amount + carriage_amount + advertising_amount + subscription_amount
            + adjustment_amount + bank_exchange_amount
        """,
        "update marts.channel_profitability set contribution_2_amount = contribution_2_amount + gmv_amount",
    ),
    "21 GMV as revenue in the journals": (
        """
        select booked.marketplace_code as what
        from (
            select marketplace_code, sum(credit - debit) as amount from marts.journal_lines
            where account_role in ('COMMISSION_REVENUE', 'DEFERRED_COMMISSION')
            group by marketplace_code
        ) as booked
        inner join (
            select marketplace_code, max(posting_date) as until_date from marts.journals
            where kind = 'CUSTOMER_DEBIT' group by marketplace_code
        ) as windows on booked.marketplace_code = windows.marketplace_code
        inner join (
            select marketplace_code, line_date, -amount as amount from marts.fct_settlement_lines
            where is_in_net and transaction_type in ('COMMISSION_FEE', 'REFUND_COMMISSION_FEE')
        ) as fees on booked.marketplace_code = fees.marketplace_code and fees.line_date <= windows.until_date
        group by booked.marketplace_code, booked.amount
        having booked.amount <> sum(fees.amount)
        union all
        select journal_key from marts.journal_lines
        where kind = 'CUSTOMER_DEBIT' and account_role like '%REVENUE%'
        """,
        """
        update marts.journal_lines set account_role = 'COMMISSION_REVENUE'
        where kind = 'CUSTOMER_DEBIT' and account_role = 'SELLER_PAYABLE'
        """,
    ),
    "21 sellers in debit netted against those in credit": (
        """
        select shop_id || ' ' || period as what from marts.seller_ledger
        where account_role = 'SELLER_PAYABLE' and not is_newest and closing_amount < 0
        """,
        """
        update marts.seller_ledger set closing_amount = closing_amount - reclass_amount
        where account_role = 'SELLER_PAYABLE'
        """,
    ),
    "21 sellers netted against each other": (
        """
        select shop_id as what from marts.seller_balances
        group by marketplace_code, shop_id, currency_code
        having sum(case when is_newest then 1 else 0 end) > 1 or shop_id is null
        """,
        "update marts.seller_balances set shop_id = 'ALL'",
    ),
    "22 proxy email as customer key": (
        f"""
        select order_id as what from marts.fct_orders
        where marketplace_code {BOTH} and erp_customer_reference like '%@%'
        union all
        select marketplace_code from marts.fct_orders where marketplace_code {BOTH}
        group by marketplace_code having count(distinct erp_customer_reference) > 2
        """,
        "update marts.fct_orders set erp_customer_reference = order_id || '@notification.example'",
    ),
}
"""By number and words: the rows in which the mistake would stand, and how to make it on a copy."""

EXAMPLES = {
    4: ("pay-out-failed",),
    6: ("manual-credit", "manual-credit-without-vat", "reserve-held-and-released"),
    7: ("tax-remitted-by-operator",),
    10: ("refund-twice", "commission-half-penny", "two-vat-rates"),
    12: ("midnight-in-london", "month-end-between-sale-and-settlement"),
    13: ("promotion-funded-by-operator",),
    16: ("refund-commission-kept", "refund-operator-keeps-a-share", "refund-fixed-part-kept"),
    17: ("order-cancelled", "order-cancelled-in-part"),
    18: ("negative-cycle",),
    20: ("order-missing-in-erp",),
}
RULES = {
    4: ("a_changed_type_or_amount_is_found_and_a_changed_state_is_not",),
    8: ("fees_from_abroad_bear_no_vat_and_are_declared_by_the_buyer",),
    10: ("a_settled_sale_is_revenue_and_vat",),
    15: ("what_a_foreign_settlement_relieves_is_what_the_books_carry",),
    16: ("commission_comes_back_as_the_contract_says",),
    19: ("two_equal_lines_are_a_duplicate_only_where_one_is_expected", "a_stranger_on_clearing_is_a_copy_or_a_finding"),
}
ELSEWHERE = {19: ("tests/pipeline/test_end_to_end.py", "test_no_near_miss_is_reported")}
"""A test by its file and name."""


@pytest.fixture
def copy(finished: Site) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database beside the published one, which can only be read."""
    with duckdb.connect() as connection:
        file = finished.data_dir / "published" / "tieout.duckdb"
        connection.execute(f"attach '{file}' as published (read_only)")
        connection.execute("create schema marts")
        yield connection


def rows(connection: duckdb.DuckDBPyConnection, query: str, made: str) -> tuple[list[str], list[str]]:
    """What the query finds in the books, and what it finds once the mistake has been made."""
    for table in sorted(set(re.findall(r"marts\.(\w+)", query + made))):
        connection.execute(f"create table marts.{table} as select * from published.marts.{table}")
    before = [row[0] for row in connection.execute(query).fetchall()]
    connection.execute(made)
    return before, [row[0] for row in connection.execute(query).fetchall()]


@pytest.mark.parametrize("name", BOOKS)
def test_likely_mistake_is_not_in_the_books_and_would_be_seen(copy: duckdb.DuckDBPyConnection, name: str) -> None:
    query, made = BOOKS[name]
    before, after = rows(copy, query, made)
    assert before == []
    assert after, "the query does not see the mistake"


@pytest.mark.parametrize("number", MISTAKES)
def test_likely_mistake_is_proved(number: int) -> None:
    books = [name for name in BOOKS if name.split()[0] == str(number)]
    examples, rules = EXAMPLES.get(number, ()), RULES.get(number, ())
    assert books or examples or rules or number in ELSEWHERE
    for example in examples:
        assert (ROOT / "examples" / f"{example}.toml").is_file(), example
    texts = [file.read_text("utf-8") for file in (ROOT / "dbt_project" / "models").rglob("*unit_tests.yml")]
    for rule in rules:
        assert any(f"- name: {rule}\n" in text for text in texts), rule
    if number in ELSEWHERE:
        file, test = ELSEWHERE[number]
        assert f"def {test}(" in (ROOT / file).read_text("utf-8")


@pytest.mark.skipif(
    not REFERENCE.is_file() and os.environ.get("CI") != "true",
    reason="the accounting reference is not beside the repository",
)
def test_the_reference_lists_these_mistakes() -> None:
    section = REFERENCE.read_text("utf-8").split("## 15. ")[1].split("\n## ")[0]
    listed = dict(re.findall(r"^(\d+)\. (.*)$", section, flags=re.MULTILINE))
    assert [int(number) for number in listed] == list(MISTAKES)
    for number, words in MISTAKES.items():
        # One word of four letters or more of ours must stand in the reference's sentence.
        text = listed[str(number)].lower()
        assert any(word in text for word in re.findall(r"[a-z_]{4,}", words.lower())), (number, text)
