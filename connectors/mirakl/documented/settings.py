"""Accounts and shops (A01, A21, S20), the platform (PC01) and its lists of codes."""

from __future__ import annotations

from connectors.mirakl.documented.names import names

DOCUMENTED: dict[str, dict[str, frozenset[str]]] = {
    "account": {
        "": names(
            """
            applicable_taxes approval_delay approval_rate banner billing_info channels closed_from closed_to
            contact_informations currency_iso_code date_created default_billing_information description domains
            dropship evaluations_count free_shipping grade is_professional kyc last_updated_date logo model
            offers_count order_messages_response_delay orders_count payment_details payment_info
            payment_method_mandatory premium pro_details producer_identifiers recycling_policy return_policy
            shipping shipping_country shipping_types shipping_zones shippings shop_additional_fields shop_id
            shop_name shop_state specific_billing_informations suspension_type
            """
        ),
        "payment_details": names(
            """
            paid_balance payable_balance pending_balance reserve_balance reserve_target sub_balances
            """
        ),
    },
    "shops": {
        "": names(
            """
            applicable_taxes approval_delay approval_rate assignees banner billing_info channels closed_from
            closed_to commission contact_informations currency_iso_code date_created default_billing_information
            description domains dropship evaluations_count free_shipping grade immunity_date is_professional kyc
            last_updated_date logo model offers_count operator_internal_id order_messages_response_delay
            orders_count payment_details payment_info payment_method_mandatory permissions premium premium_state
            pro_details producer_identifiers recycling_policy return_policy shipping shipping_country
            shipping_types shipping_zones shippings shop_additional_fields shop_id shop_name shop_state
            specific_billing_informations suspension_type tier
            """
        ),
        "kyc": names("reason status"),
        "payment_details": names(
            """
            paid_balance pay_subscription payable_balance payment_blocked pending_balance reserve_balance
            reserve_target sub_balances subscription_free_from subscription_free_to
            """
        ),
    },
    "account_statistics": {
        "": names(
            """
            approval_delay approval_rate auto_refused_rate average_cart average_cart_with_shipping
            cancelation_rate channel consecutive_refused_orders_count evaluations_count grade incident_rate
            last_updated_date late_shipment_rate offers_count order_messages_response_delay orders_count
            refund_rate return_rate shipping_delay shop_id total_revenue valid_tracking_rate
            """
        ),
        "approval_delay": names("period value"),
        "approval_rate": names("period value"),
        "auto_refused_rate": names("period value"),
        "average_cart": names("period value"),
        "average_cart_with_shipping": names("period value"),
        "cancelation_rate": names("period value"),
        "consecutive_refused_orders_count": names("period value"),
        "evaluations_count": names("period value"),
        "grade": names("period value"),
        "incident_rate": names("period value"),
        "late_shipment_rate": names("period value"),
        "offers_count": names("period value"),
        "order_messages_response_delay": names("period value"),
        "orders_count": names("period value"),
        "refund_rate": names("period value"),
        "return_rate": names("period value"),
        "shipping_delay": names("period value"),
        "total_revenue": names("period value"),
        "valid_tracking_rate": names("period value"),
    },
    "platform": {
        "": names("features modules platform_configuration platform_name tenant_name timezone"),
        "features": names(
            """
            catalog circular_economy_data_collection competitive_pricing_tool direct_payment_customer_store
            disable_seller_alternative_carrier dropship kyc_status_per_seller
            lead_time_to_ship_by_sellers_enabled multi_currency multi_payout_psp_per_seller no_reply_needed
            offer_prices_decimals operator_csv_delimiter order_conditions order_tax_mode order_workflows
            payment_confirmation pricing product_data_validation_by_channel promotion returns shipment
            shop_tax_options tax_collection tax_id_number warehouses
            """
        ),
        "features.shipment": names("multi_part_item_shipment multi_shipment"),
        "features.tax_collection": names("activated product_tax_code_mandatory tax_collection_by_operator"),
        "features.order_workflows": names(
            """
            no_customer_payment_confirmation order_acceptance pause_debit_workflow pay_on_due_date
            pay_on_shipment sellers_edit_shipping_origin shipping_and_billing_details_before_acceptance
            """
        ),
    },
    "carriers": {
        "": names("code label standard_code tracking_url"),
    },
    "currencies": {
        "": names("code label platform_default"),
    },
    "channels": {
        "": names("code description label"),
    },
    "offer_conditions": {
        "": names("active code label"),
    },
    "reasons": {
        "": names("code is_customer_right is_operator_right is_shop_right label type"),
    },
    "shipping_zones": {
        "": names("code description label"),
    },
    "shipping_methods": {
        "": names(
            """
            click_and_collect code delivery_by_operator description ignore_lead_time_to_ship label
            mandatory_tracking standard_code
            """
        ),
    },
    "custom_fields": {
        "": names(
            """
            accepted_values channels code default_value description editable entity label models regex required
            shop_permission type
            """
        ),
    },
}
