"""Is VAT set up for what is sold, where it goes, and who charges fees?"""

from __future__ import annotations

from collections.abc import Iterator

from orchestration.examination.finding import Facts, Found, Impact, by_amount, check, counted


@check(
    "VAT-1",
    "VAT",
    Impact.HIGH,
    "Destinations that no rule covers",
    why="Nobody knows who owes the tax of these sales.",
    remedy="Have it decided, and add the country to tax_regimes.csv.",
)
def undecided_destinations(facts: Facts) -> Iterator[Found]:
    rows = facts.rows(
        """
        select marketplace_code, ship_to_country, currency_code, count(*) as orders,
            sum(coalesce(consignment_amount, 0)) as amount
        from rec_sale_taxes
        where ship_to_country is not null and accountable is null and status <> 'EXCLUDED' group by 1, 2, 3
        """
    )
    for row in by_amount(rows):
        yield Found(
            f"{row['marketplace_code']} {row['ship_to_country']}",
            f"{counted(row['orders'], 'order')} went there.",
            f"select * from rec_sale_taxes where ship_to_country = '{row['ship_to_country']}'",
            row["amount"],
            row["currency_code"],
        )


@check(
    "VAT-2",
    "VAT",
    Impact.HIGH,
    "Fees taxed by a supplier who must not",
    why="No return gives this VAT back: it is a cost until the document is corrected.",
    remedy="Give the operator the VAT number, and ask for a corrected document.",
)
def foreign_vat_on_fees(facts: Facts) -> Iterator[Found]:
    rows = facts.rows(
        """
        select marketplace_code, currency_code, count(*) as cycles, sum(amount_at_risk) as amount from exceptions
        where exception_code = 'TAX-007' and status = 'OPEN' group by 1, 2
        """
    )
    for row in by_amount(rows):
        yield Found(
            row["marketplace_code"],
            f"{counted(row['cycles'], 'cycle')} with VAT on fees of a supplier from abroad.",
            "select * from exceptions where exception_code = 'TAX-007'",
            row["amount"],
            row["currency_code"],
        )


@check(
    "VAT-3",
    "VAT",
    Impact.MEDIUM,
    "Entities without what a VAT return needs",
    why="The return cannot be tied to the ledgers.",
    remedy="Fill in vat_number, vat_period_months and vat_period_end_month of entities.csv.",
)
def incomplete_entities(facts: Facts) -> Iterator[Found]:
    trading = {row.entity_code for row in facts.registry.marketplaces if row.is_enabled}
    for entity in facts.registry.entities:
        if entity.entity_code not in trading:
            continue
        missing = [
            name
            for name in ("vat_number", "vat_period_months", "vat_period_end_month")
            if getattr(entity, name) is None
        ]
        if missing:
            yield Found(entity.entity_code, f"{', '.join(missing)} is empty.", f"entities.csv line {entity.line}")


@check(
    "VAT-4",
    "VAT",
    Impact.MEDIUM,
    "ERP orders with another tax code than the sale",
    why="Output tax is declared too high or too low.",
    remedy="Correct the item's or the customer's tax code in the ERP, or the map in tax_codes.csv.",
)
def other_tax_codes(facts: Facts) -> Iterator[Found]:
    rows = facts.rows(
        """
        select marketplace_code, currency_code, count(*) as lines, sum(amount_at_risk) as amount from exceptions
        where exception_code = 'ORD-008' and status = 'OPEN' group by 1, 2
        """
    )
    for row in by_amount(rows):
        yield Found(
            row["marketplace_code"],
            f"{counted(row['lines'], 'order line')} with another tax code or amount in the ERP.",
            "select * from exceptions where exception_code = 'ORD-008'",
            row["amount"],
            row["currency_code"],
        )
