"""Raw tables of offers (OF21, OF22, OF54) and products (P31). Prices are in the offer's currency."""

from __future__ import annotations

from connectors.columns import amount, flag, key, stamp, text
from connectors.mirakl.tables.values import first_reference, joined
from connectors.records import Source, TableSpec

_OFFER_COLUMNS = (
    key("offer_id"),
    key("shop_sku"),
    text("product_sku"),
    text("product_title"),
    text("state_code"),
    amount("quantity", required=True),
    amount("price"),
    amount("total_price"),
    text("currency_iso_code"),
    flag("active"),
    text("inactivity_reasons", via=joined),
    text("category_code"),
    amount("leadtime_to_ship"),
    amount("min_order_quantity"),
    amount("package_quantity"),
)

OFFERS = TableSpec(
    "mirakl_offers", (*_OFFER_COLUMNS, text("product_reference", "product_references", via=first_reference))
)

OFFER_DETAILS = TableSpec(
    "mirakl_offer_details",
    (
        *_OFFER_COLUMNS,
        key("shop_id", required=False),
        stamp("available_start_date"),
        stamp("available_end_date"),
    ),
)

OFFER_CHANGES = TableSpec(
    "mirakl_offer_changes",
    (
        key("offer_id"),
        key("shop_id", required=False),
        key("shop_sku", required=False),
        text("product_sku"),
        text("state_code"),
        flag("active"),
        flag("deleted"),
        amount("quantity"),
        text("currency_iso_code"),
        stamp("date_created"),
        stamp("last_updated"),
        stamp("available_start_date"),
        stamp("available_end_date"),
        text("channels", via=joined),
        text("fulfillment_center_code", "fulfillment.center.code"),
        text("logistic_class", "logistic_class.code"),
        amount("leadtime_to_ship"),
        amount("min_shipping_price"),
        amount("min_order_quantity"),
        amount("max_order_quantity"),
        amount("package_quantity"),
        text("product_tax_code"),
        text("shop_model", "model", known={"MARKETPLACE", "DROPSHIP", "ONE_CREDITOR"}),
    ),
)

OFFER_CHANGE_PRICES = TableSpec(
    "mirakl_offer_change_prices",
    (
        key("offer_id", "/offer_id"),
        text("channel_codes", "context.channel_codes", via=joined),
        text("customer_organization_ids", "context.customer_organization_ids", via=joined),
        text("customer_group_ids", "context.customer_group_ids", via=joined),
        stamp("start_date", "context.start_date"),
        stamp("end_date", "context.end_date"),
        amount("origin_price"),
        amount("discount_price"),
        stamp("discount_start_date"),
        stamp("discount_end_date"),
    ),
    OFFER_CHANGES.name,
    (Source("prices"),),
)

OFFER_CHANGE_WAREHOUSES = TableSpec(
    "mirakl_offer_change_warehouses",
    (key("offer_id", "/offer_id"), key("warehouse_code", "code"), amount("quantity")),
    OFFER_CHANGES.name,
    (Source("warehouses"),),
)

PRODUCTS = TableSpec(
    "mirakl_products",
    (
        key("product_reference"),
        text("product_id_type"),
        key("product_id"),
        text("product_sku"),
        text("product_title"),
        text("category_code"),
        text("category_label"),
    ),
)
