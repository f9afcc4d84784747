"""Offers (OF21, OF22, OF54) and products (P31)."""

from __future__ import annotations

from connectors.mirakl.documented.names import names

DOCUMENTED: dict[str, dict[str, frozenset[str]]] = {
    "offers": {
        "": names(
            """
            active all_prices allow_quote_requests applicable_pricing available_end_date available_start_date
            category_code category_label channels currency_iso_code description discount eco_contributions
            favorite_rank fulfillment inactivity_reasons internal_description leadtime_to_ship logistic_class
            max_order_quantity min_order_quantity min_quantity_alert min_shipping_price
            min_shipping_price_additional min_shipping_type min_shipping_zone msrp offer_additional_fields
            offer_id package_quantity price price_additional_info product_brand product_description
            product_references product_sku product_tax_code product_title quantity retail_prices
            shipping_deadline shop_sku state_code total_price warehouses
            """
        ),
    },
    "offer_details": {
        "": names(
            """
            active all_prices allow_quote_requests applicable_pricing available_end_date available_start_date
            category_code category_label channels currency_iso_code description discount eco_contributions
            favorite_rank fulfillment inactivity_reasons internal_description leadtime_to_ship logistic_class
            max_order_quantity min_order_quantity min_quantity_alert min_shipping_price
            min_shipping_price_additional min_shipping_type min_shipping_zone model msrp offer_additional_fields
            offer_id package_quantity price price_additional_info product_brand product_description
            product_references product_sku product_tax_code product_title quantity retail_prices
            shipping_deadline shop_grade shop_id shop_name shop_sku state_code total_price warehouses
            """
        ),
    },
    "offer_changes": {
        "": names(
            """
            active allow_quote_requests available_end_date available_start_date channels currency_iso_code
            date_created deleted description eco_contributions favorite_rank fulfillment is_professional
            last_updated leadtime_to_ship logistic_class max_order_quantity measurement min_order_quantity
            min_shipping_price min_shipping_price_additional min_shipping_type min_shipping_zone model msrp
            no_commission offer_additional_fields offer_id ongoing_discount_campaigns package_quantity premium
            price_additional_info prices product_sku product_tax_code quantity retail_prices shipping_types
            shop_id shop_name shop_sku state_code warehouses
            """
        ),
        "fulfillment": names("center"),
        "fulfillment.center": names("code"),
        "logistic_class": names("code"),
        "prices": names("context discount_end_date discount_price discount_start_date origin_price volume_prices"),
        "prices.context": names("channel_codes customer_group_ids customer_organization_ids end_date start_date"),
        "warehouses": names("code quantity"),
    },
    "products": {
        "": names(
            """
            authorized_shop_ids category_code category_label product_id product_id_type product_sku
            product_title
            """
        ),
    },
}
