"""What each marketplace and each item earned, from list price to contribution, and how that moved."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup

from app.asking import Ask, Page
from app.charts import trend, waterfall
from app.pages import journals
from app.rendering import explained
from app.tables import Column, Filter, Link, Query, Row, Table, linked

STEPS = (
    ("list_sales_amount", "List sales", False),
    ("seller_discount_amount", "Discounts", False),
    ("shipping_amount", "Shipping", False),
    ("refund_amount", "Refunds", False),
    ("net_sales_amount", "Net sales", True),
    ("cogs_amount", "Cost of goods", False),
    ("product_margin_amount", "Product margin", True),
    ("commission_amount", "Commission", False),
    ("order_fee_amount", "Order fees", False),
    ("carriage_amount", "Carriage", False),
    ("contribution_1_amount", "Contribution 1", True),
    ("advertising_amount", "Advertising", False),
    ("subscription_amount", "Subscription", False),
    ("adjustment_amount", "Adjustments", False),
    ("bank_exchange_amount", "Bank, exchange", False),
    ("contribution_2_amount", "Contribution 2", True),
)
"""Columns of the waterfall with their names, and whether each is a total."""
SUMS = ", ".join(f"sum({column})::DECIMAL(18, 2) AS {column}" for column, _, _ in STEPS)
SHOWN = (
    Column("unit_count", "Units", "number"),
    Column("net_sales_amount", "Net sales", "money"),
    Column("cogs_amount", "Cost", "money"),
    Column("commission_amount", "Commission", "money"),
    Column("order_fee_amount", "Fees", "money"),
    Column("carriage_amount", "Carriage", "money"),
    Column("contribution_1_amount", "Contribution 1", "money"),
    Column("contribution_2_amount", "Contribution 2", "money"),
)
SUMMED = tuple(one.key for one in SHOWN)
BASES = ("PERIOD", "COHORT")


def show(ask: Ask) -> Page:
    """The waterfall of the chosen marketplace and month, its items, its sellers, and the trend."""
    chosen = _chosen(ask)
    where, parameters = _where(chosen)
    # What a seller pays an operator earns: together they are nobody's result.
    one_side = f"{where} AND perspective = 'SELLER'" if _is_mixed(ask, where, parameters) else where
    sums = ask.published.rows(
        f"SELECT currency_code, {SUMS} FROM channel_profitability WHERE {one_side} GROUP BY currency_code ORDER BY 1",
        parameters,
    )
    charts = [(row["currency_code"], _waterfall(ask, row)) for row in sums]
    steps = [
        {"step": name, "amount": row[column], "currency_code": row["currency_code"]}
        for row in sums
        for column, name, _ in STEPS
    ]
    group = f"sum(unit_count)::DECIMAL(18, 2) AS unit_count, {SUMS}"
    tables = {
        "steps": Table(
            "The waterfall", (Column("step", "Step"), Column("amount", "Amount", "money")), steps, name="steps"
        ),
        "channels": Table(
            "Marketplaces and months",
            (
                Column("period", "Month", "code", _page_of),
                Column("marketplace_code", "Market", "code"),
                *linked(SHOWN, _money(_journals_of)),
            ),
            Query(
                f"SELECT period, marketplace_code, currency_code, {group} FROM channel_profitability WHERE basis = ? "
                "GROUP BY period, marketplace_code, currency_code",
                [chosen["basis"]],
            ),
            name="channels",
            sort="-period",
            page_rows=15,
        ),
        "items": Table(
            "Items",
            (
                Column("item", "Item", "text", explained("item_code")),
                Column("marketplace_code", "Market", "code"),
                *linked(SHOWN, _money(explained("item_code"))),
                Column("net_margin_rate", "Margin", "percent"),
            ),
            Query(
                "SELECT item_code, coalesce(nullif(item_code, ''), 'of no one item') AS item, marketplace_code, "
                f"currency_code, {group}, CASE WHEN sum(net_sales_amount) <> 0 "
                "THEN (sum(contribution_2_amount) / sum(net_sales_amount))::DECIMAL(18, 4) END AS net_margin_rate "
                f"FROM channel_profitability WHERE {one_side} GROUP BY item_code, marketplace_code, currency_code",
                parameters,
            ),
            name="items",
            sort="contribution_2_amount",
            totals=SUMMED,
            filters=(Filter("marketplace_code", "Marketplace"),),
            search=("item_code",),
            page_rows=25,
            caption="Items, those that earned least first",
        ),
        "sellers": Table(
            "Sellers",
            (
                Column("shop_id", "Seller", "code", _seller_page),
                Column("marketplace_code", "Market", "code"),
                *linked((*SHOWN[:2], *SHOWN[3:5], SHOWN[7]), _money(_payouts_of)),
            ),
            Query(
                f"SELECT shop_id, marketplace_code, currency_code, {group} FROM channel_profitability "
                f"WHERE {where} AND perspective = 'OPERATOR' GROUP BY shop_id, marketplace_code, currency_code",
                parameters,
            ),
            name="sellers",
            sort="-contribution_2_amount",
            totals=("net_sales_amount", "commission_amount", "order_fee_amount", "contribution_2_amount"),
            search=("shop_id",),
            page_rows=25,
            nothing="No marketplace here is operated by us.",
        ),
    }
    values = {
        "charts": charts,
        "trend": _trend(ask, chosen["basis"]),
        "chosen": chosen,
        "is_one_side": one_side != where,
        "bases": BASES,
        "marketplaces": _values(ask, "marketplace_code"),
        "periods": _values(ask, "period"),
    }
    return Page("profitability.html", "Profitability", values, tables)


def _money(link: Link) -> dict[str, Link]:
    """The link on every amount."""
    return {one.key: link for one in SHOWN if one.kind == "money"}


def _journals_of(row: Row) -> str:
    return journals.address(row, period=row["period"])


def _payouts_of(row: Row) -> str:
    return f"/payouts?{urlencode({'marketplace_code': row['marketplace_code'], 'q': row['shop_id']})}"


def _seller_page(row: Row) -> str:
    """Items and waterfall of one seller."""
    return f"/profitability?{urlencode({'marketplace': row['marketplace_code'], 'shop': row['shop_id']})}#items"


def _page_of(row: Row) -> str:
    return f"/profitability?{urlencode({'marketplace': row['marketplace_code'], 'period': row['period']})}"


def _waterfall(ask: Ask, row: Row) -> Markup:
    bars = [(name, row[column] or Decimal(0), is_total) for column, name, is_total in STEPS]
    return waterfall(bars, ask.formats, f"From list price to contribution, {row['currency_code']}")


def _chosen(ask: Ask) -> dict[str, str]:
    basis = ask.asked.get("basis", "")
    return {
        "basis": basis if basis in BASES else BASES[0],
        "marketplace": ask.asked.get("marketplace", ""),
        "period": ask.asked.get("period", ""),
        "shop": ask.asked.get("shop", ""),
    }


def _where(chosen: dict[str, str]) -> tuple[str, list[Any]]:
    clauses, parameters = ["basis = ?"], [chosen["basis"]]
    for name, column in (("marketplace", "marketplace_code"), ("period", "period"), ("shop", "shop_id")):
        if chosen[name]:
            clauses.append(f"{column} = ?")
            parameters.append(chosen[name])
    return " AND ".join(clauses), parameters


def _is_mixed(ask: Ask, where: str, parameters: list[Any]) -> bool:
    rows = ask.published.rows(f"SELECT DISTINCT perspective FROM channel_profitability WHERE {where}", parameters)
    return {"SELLER", "OPERATOR"} <= {row["perspective"] for row in rows}


def _trend(ask: Ask, basis: str) -> Any:
    rows = ask.published.rows(
        "SELECT period, marketplace_code || ' ' || currency_code AS name, sum(contribution_2_amount)::DECIMAL(18, 2) "
        "AS amount FROM channel_profitability WHERE basis = ? GROUP BY 1, 2 ORDER BY 1, 2",
        [basis],
    )
    periods = sorted({str(row["period"]) for row in rows})[-18:]
    if len(periods) < 2:
        return None
    # Five lines can be told apart: the largest marketplaces have one each.
    sizes: dict[str, Decimal] = {}
    for row in rows:
        sizes[row["name"]] = sizes.get(row["name"], Decimal(0)) + abs(row["amount"])
    largest = sorted(sizes, key=lambda name: -sizes[name])[:5]
    found = {(row["name"], row["period"]): row["amount"] for row in rows}
    lines = {name: [found.get((name, period)) for period in periods] for name in sorted(largest)}
    return trend(periods, lines, ask.formats, "Contribution 2 by month and marketplace")


def _values(ask: Ask, column: str) -> list[str]:
    rows = ask.published.rows(f"SELECT DISTINCT {column} AS value FROM channel_profitability ORDER BY 1 LIMIT 200")
    return [str(row["value"]) for row in rows if row["value"] is not None]
