"""Is all stock counted, in time for how fast it sells, and does every offer have its item?"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from orchestration.examination.finding import Facts, Found, Impact, by_amount, check

VELOCITY_DAYS = 14
QUANTITY_FEEDS = ("warehouse_holdings", "stock")
"""The feeds of the ERPs that carry quantities."""
OFFER_CODES = ("OFR-001", "OFR-002", "OFR-007", "OFR-008")
"""No item, several, another product, another unit."""


@check(
    "STO-1",
    "stock",
    Impact.HIGH,
    "Warehouses with stock that nobody has decided on",
    why="What lies there is not offered, or is offered without being for sale.",
    remedy="Add the warehouse to warehouses.csv, for sale or not, with the reason.",
)
def undecided_warehouses(facts: Facts) -> Iterator[Found]:
    for row in facts.rows(
        """
        select distinct marketplace_code, subject_id, summary from rec_stock
        where rule_code = 'WAREHOUSE_MAPPED' and status = 'EXCEPTION' order by 1, 2
        """
    ):
        yield Found(
            f"{row['marketplace_code']} {row['subject_id']}",
            f"{row['summary']}.",
            "select * from rec_stock where rule_code = 'WAREHOUSE_MAPPED'",
        )


@check(
    "STO-2",
    "stock",
    Impact.MEDIUM,
    "Stock read from a single warehouse",
    why="Sales are lost: what other warehouses hold is never offered.",
    remedy="Set is_for_sale in warehouses.csv, or write the reason why a warehouse is left out.",
)
def single_warehouse(facts: Facts) -> Iterator[Found]:
    held: dict[str, set[str]] = {}
    for row in facts.rows(
        "select distinct marketplace_code, subject_id from rec_stock where subject_type = 'WAREHOUSE'"
    ):
        held.setdefault(str(row["marketplace_code"]), set()).add(str(row["subject_id"]))
    for market in facts.registry.marketplaces:
        names = held.get(market.marketplace_code, set())
        if len(names) < 2:
            continue
        rows = {
            row.warehouse_name: row
            for wanted in ("*", market.marketplace_code)
            for row in facts.registry.warehouses
            if row.erp_code == market.erp_code and row.marketplace_code == wanted
        }
        sold = sorted(name for name in names if name in rows and rows[name].is_for_sale)
        silent = sorted(name for name in names - set(sold) if not (name in rows and rows[name].reason))
        if len(sold) == 1 and silent:
            yield Found(
                market.marketplace_code,
                f"Only {sold[0]} is offered; {', '.join(silent)} hold stock too, and no reason is written.",
                "warehouses.csv",
            )


@check(
    "STO-3",
    "stock",
    Impact.HIGH,
    "Schedules too rare for how fast items sell",
    why="Between two readings more is sold than the buffer covers: orders that cannot be delivered.",
    remedy="Read stock more often (lane stock, freshness_hours in feeds.csv), or raise the buffer in stock_rules.csv.",
)
def oversold_between_readings(facts: Facts) -> Iterator[Found]:
    rows = facts.rows(
        f"""
        select
            o.marketplace_code, o.shop_sku, o.currency_code, sum(o.quantity) as units,
            max(o.unit_price) as unit_price, max(s.buffer_quantity) as buffer
        from fct_order_lines as o
        inner join rec_stock as s
            on o.marketplace_code = s.marketplace_code and o.shop_sku = s.subject_id
                and s.rule_code = 'OFFER_QUANTITY' and s.is_offer_active
        where o.created_at > $1 - interval {VELOCITY_DAYS} day
        group by 1, 2, 3
        """,
        [facts.now],
    )
    found: list[dict[str, Any]] = []
    for sold in rows:
        hours = _limit(facts, str(sold["marketplace_code"]))
        between = sold["units"] * hours / (24 * VELOCITY_DAYS)
        if sold["buffer"] is not None and between > sold["buffer"]:
            found.append(
                {**sold, "hours": hours, "between": between, "amount": (between - sold["buffer"]) * sold["unit_price"]}
            )
    for row in by_amount(found):
        yield Found(
            f"{row['marketplace_code']} {row['shop_sku']}",
            f"{row['units']:,.0f} sold in {VELOCITY_DAYS} days: {row['between']:,.1f} within the {row['hours']} hours "
            f"that a stock reading may be old, more than the buffer of {row['buffer']:,.0f}.",
            f"select * from rec_stock where subject_id = '{row['shop_sku']}'",
            row["amount"].quantize(Decimal("0.01")),
            row["currency_code"],
        )


def _limit(facts: Facts, marketplace: str) -> Decimal:
    """Hours that a stock reading of the marketplace's ERP may be old."""
    erp = facts.registry.marketplace(marketplace).erp_code
    vendor = facts.registry.erp(erp).vendor if erp else None
    hours = [
        feed.freshness_hours
        for feed in facts.registry.feeds_in_use
        if feed.vendor == vendor and feed.entity in QUANTITY_FEEDS
    ]
    return Decimal(max(hours, default=0))


@check(
    "OFF-1",
    "offers",
    Impact.HIGH,
    "Offers without their item",
    why="An order of it cannot be booked, or the wrong goods leave.",
    remedy="Pause the offer; correct the SKU, or map it in item_map.csv.",
)
def offers_without_items(facts: Facts) -> Iterator[Found]:
    rows = facts.rows(
        f"""
        with sold as (
            select marketplace_code, shop_sku, sum(price_amount) as amount
            from fct_order_lines where created_at > $1 - interval 30 day group by 1, 2
        )
        select f.marketplace_code, f.exception_code, f.subject_id, f.currency_code, max(f.summary) as summary,
            max(coalesce(sold.amount, 0)) as amount
        from rec_offers as f
        left join sold on f.marketplace_code = sold.marketplace_code and f.subject_id = sold.shop_sku
        where f.status = 'EXCEPTION' and f.exception_code in ({", ".join(f"'{code}'" for code in OFFER_CODES)})
        group by 1, 2, 3, 4
        """,
        [facts.now],
    )
    for row in by_amount(rows):
        yield Found(
            f"{row['marketplace_code']} {row['subject_id']}",
            f"{row['summary']}. At stake: its sales of 30 days.",
            f"select * from rec_offers where subject_id = '{row['subject_id']}'",
            row["amount"],
            row["currency_code"],
        )
