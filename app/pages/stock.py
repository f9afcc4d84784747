"""What we may sell against what we offer, prices and products; for an operator the sellers' stock of each product."""

from __future__ import annotations

from app.asking import Ask, Page
from app.rendering import explained
from app.tables import Column, Filter, Query, Table

STATUS = ("EXCEPTION", "TIMING", "MATCHED_WITHIN_TOLERANCE", "MATCHED", "EXCLUDED")
WORST_FIRST = "CASE status WHEN 'EXCEPTION' THEN 1 WHEN 'TIMING' THEN 2 ELSE 3 END AS place"


def show(ask: Ask) -> Page:
    """Stock, offers and sellers' offers; differences first."""
    tables = {
        "stock": Table(
            "Stock",
            (
                Column("subject_id", "Offer", "text", explained("subject_id"), note="item_code"),
                Column("marketplace_code", "Market", "code"),
                Column("status", "Status", "state", note="exception_code"),
                Column("free_quantity", "Free", "quantity"),
                Column("awaited_quantity", "Sold, not in ERP", "quantity"),
                Column("buffer_quantity", "Buffer", "quantity"),
                Column("expected_quantity", "Should offer", "quantity"),
                Column("actual_quantity", "Offers", "quantity"),
                Column("oversell_risk_percent", "Oversell risk %", "number"),
                Column("summary", "What", "long", is_sortable=False),
            ),
            Query(f"SELECT *, {WORST_FIRST} FROM rec_stock"),
            name="stock",
            sort="place",
            filters=(
                Filter("marketplace_code", "Marketplace"),
                Filter("status", "Status", STATUS),
                Filter("exception_code", "Code"),
                Filter("velocity_code", "Class"),
            ),
            search=("subject_id", "item_code"),
            page_rows=25,
        ),
        "offers": Table(
            "Offers",
            (
                Column("subject_id", "Offer", "text", explained("subject_id"), note="rule_code"),
                Column("marketplace_code", "Market", "code"),
                Column("status", "Status", "state", note="exception_code"),
                Column("expected_amount", "Price list", "money"),
                Column("actual_amount", "Asked", "money"),
                Column("expected_value", "Should be", "text"),
                Column("actual_value", "Is", "text"),
                Column("summary", "What", "long", is_sortable=False),
            ),
            Query(f"SELECT *, {WORST_FIRST} FROM rec_offers"),
            name="offers",
            sort="place",
            filters=(
                Filter("marketplace_code", "Marketplace"),
                Filter("status", "Status", STATUS),
                Filter("rule_code", "Check"),
            ),
            search=("subject_id", "left_id", "right_id"),
            page_rows=25,
        ),
        "sellers": Table(
            "Products of our sellers, all sellers together",
            (
                Column("product_sku", "Product", "text"),
                Column("marketplace_code", "Market", "code"),
                Column("product_seller_count", "Sellers", "number"),
                Column("product_quantity", "Pieces", "number"),
                Column("product_lowest_amount", "Lowest price", "money"),
                Column("product_highest_amount", "Highest price", "money"),
            ),
            Query(
                "SELECT DISTINCT marketplace_code, product_sku, currency_code, product_seller_count, product_quantity, "
                "product_lowest_amount, product_highest_amount FROM seller_offers WHERE product_seller_count > 0"
            ),
            name="sellers",
            sort="-product_quantity",
            search=("product_sku",),
            totals=("product_quantity",),
            page_rows=25,
            nothing="No marketplace here is operated by us.",
        ),
    }
    return Page("table.html", "Stock and offers", {"lead": ""}, tables)
