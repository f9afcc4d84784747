"""Are the maps complete, and is every row of them used?"""

from __future__ import annotations

from collections.abc import Iterator

from orchestration.examination.finding import Facts, Found, Impact, by_amount, check, counted

LONG_ENOUGH_DAYS = 90
"""Only after so many days of trade does it say something that a row was never used."""


@check(
    "MAP-1",
    "mappings",
    Impact.HIGH,
    "Transaction types without an account",
    why="Their cycles cannot be posted, and what they charge is in no ledger.",
    remedy="Add the type to transaction_types.csv (docs/how-to/add-a-fee-type.md); a second person agrees.",
)
def types_without_account(facts: Facts) -> Iterator[Found]:
    rows = facts.rows(
        """
        select marketplace_code, transaction_type, currency_code, count(*) as lines, sum(abs(amount)) as amount
        from fct_settlement_lines
        where account_role is null and transaction_type <> 'PAYMENT'
        group by 1, 2, 3
        """
    )
    for row in by_amount(rows):
        yield Found(
            f"{row['marketplace_code']} {row['transaction_type']}",
            f"{counted(row['lines'], 'settlement line')} of a type that nobody has decided how to book.",
            f"select * from fct_settlement_lines where transaction_type = '{row['transaction_type']}'",
            row["amount"],
            row["currency_code"],
        )


@check(
    "MAP-2",
    "mappings",
    Impact.HIGH,
    "Journals that no account lets through",
    why="The cycle or receipt stays unposted, so the clearing account does not tie out.",
    remedy="Put the account into accounts.csv (`tieout init DIR --propose` finds candidates in the ERP's chart).",
)
def blocked_journals(facts: Facts) -> Iterator[Found]:
    rows = facts.rows(
        """
        select marketplace_code, blocked_reason, currency_code, count(*) as journals, sum(total_debit) as amount
        from journals
        where is_blocked and blocked_code = 'JNL-012'
        group by 1, 2, 3
        """
    )
    for row in by_amount(rows):
        yield Found(
            row["marketplace_code"],
            f"{counted(row['journals'], 'journal')} to be posted: {row['blocked_reason']}",
            "select * from journals where is_blocked",
            row["amount"],
            row["currency_code"],
        )
    for warning in facts.registry.warnings:
        yield Found(f"{warning.file} line {warning.line or '-'}", str(warning), "tieout doctor --offline")


@check(
    "MAP-3",
    "mappings",
    Impact.LOW,
    "Rows of maps that nothing uses",
    why="A map that holds dead rows is not read by anybody, and a typing error in it looks like a dead row.",
    remedy="Correct the row, or take it out.",
)
def unused_rows(facts: Facts) -> Iterator[Found]:
    registry = facts.registry
    traded = {
        str(row["marketplace_code"]): row
        for row in facts.rows(
            """
            select marketplace_code, min(created_at) as first_at, list(distinct shop_sku) as skus,
                list(distinct category_code) as categories
            from fct_order_lines group by 1
            """
        )
    }
    offered = {
        (str(row["marketplace_code"]), str(row["subject_id"]))
        for row in facts.rows("select distinct marketplace_code, subject_id from rec_offers")
    }
    for item in registry.item_map:
        seen = traded.get(item.marketplace_code)
        if seen and item.shop_sku not in seen["skus"] and (item.marketplace_code, item.shop_sku) not in offered:
            yield Found(
                f"{item.marketplace_code} {item.shop_sku}",
                "is mapped to an item, but neither offered nor ever sold.",
                f"item_map.csv line {item.line}",
            )
    for contract in registry.commission_contracts:
        seen = traded.get(contract.marketplace_code)
        if (
            seen
            and contract.category_code != "*"
            and (facts.now - seen["first_at"]).days >= LONG_ENOUGH_DAYS
            and contract.category_code not in seen["categories"]
        ):
            yield Found(
                f"{contract.marketplace_code} {contract.category_code}",
                f"has a commission rate, but nothing of this category was sold in {LONG_ENOUGH_DAYS} days.",
                f"commission_contracts.csv line {contract.line}",
            )
