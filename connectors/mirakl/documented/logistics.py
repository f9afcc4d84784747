"""Returns (RT11), shipments (ST11), items to ship (ST12), order documents (OR72) and conversations (M11)."""

from __future__ import annotations

from connectors.mirakl.documented.names import names

DOCUMENTED: dict[str, dict[str, frozenset[str]]] = {
    "returns": {
        "": names(
            """
            date_created description documents id label_url last_updated method_code order_commercial_id
            order_id reason_code rejection_reason_code return_address return_lines rma shop shop_id state
            tracking
            """
        ),
        "tracking": names(
            """
            carrierCode carrierName carrier_code carrier_name carrier_standard_code tracking_number tracking_url
            """
        ),
        "return_lines": names("compliance order_line_id quantity reason_code"),
    },
    "shipments": {
        "": names(
            """
            created_date id invoice_reference last_updated_date order_id payment_details
            shipment_additional_information shipment_lines shipped_date shipping_from shop shop_id status
            status_customer_debit tracking
            """
        ),
        "tracking": names(
            """
            carrier_code carrier_estimated_delivery_date carrier_expected_delivery_date carrier_name
            carrier_standard_code last_known_location milestones tracking_number tracking_url validity_status
            """
        ),
        "payment_details": names("customer_debited_date transaction_date transaction_number"),
        "shipment_lines": names("offer_sku order_line_id package_reference quantity"),
    },
    "items_to_ship": {
        "": names(
            """
            fulfillment order_id references shipment_lines shipping_address shipping_date shipping_deadline
            shipping_type_code shipping_type_standard_code shop shop_id
            """
        ),
        "fulfillment": names("center"),
        "fulfillment.center": names("code"),
        "references": names("order_reference_for_customer order_reference_for_seller"),
        "shipping_address": names(
            """
            additional_info city civility company company_2 country country_iso_code firstname lastname phone
            phone_secondary state street_1 street_2 zip_code
            """
        ),
        "shipment_lines": names(
            """
            offer_sku order_line_id package_description package_reference product_title quantity
            """
        ),
    },
    "order_documents": {
        "": names("date_uploaded file_name file_size id order_id type"),
    },
    "threads": {
        "": names(
            """
            authorized_participants current_participants customer_organization date_created date_updated
            entities id messages metadata no_store_reply_needed topic
            """
        ),
        "topic": names("type value"),
        "metadata": names("last_message_date last_sender shop_reply_needed_since total_count"),
        "metadata.last_sender": names("display_name organization_details type"),
        "entities": names("id label type"),
    },
}
