"""Every member that Mirakl documents, by feed and by the dotted path of its object.

Source: the seller specification published 2026-07-20, and members that its own examples print beside it (`shop`,
`payment_voucher_number` of TL02; IV01's automatic invoices). A member that is not here is counted as unknown, so that
a growing API is noticed; nothing is refused for it. Only the objects that a feed walks are listed: what hangs below a
member that is not read may be anything.
"""

from __future__ import annotations


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


DOCUMENTED: dict[str, dict[str, frozenset[str]]] = {
    "orders": {
        "": _names(
            """
            acceptance_decision_date can_cancel can_shop_ship channel commercial_id created_date
            currency_iso_code customer customer_debited_date customer_directly_pays_seller
            customer_notification_email delivery_date discount_campaigns fulfillment fully_refunded
            has_customer_message has_incident has_invoice invoice_details last_updated_date
            leadtime_to_ship order_additional_fields order_id order_lines order_refunds order_state
            order_state_reason_code order_state_reason_label order_tax_mode order_taxes paymentType
            payment_duration payment_type payment_workflow price promotions quote_id references
            shipping_carrier_code shipping_carrier_standard_code shipping_company shipping_deadline
            shipping_price shipping_pudo_id shipping_tracking shipping_tracking_url shipping_type_code
            shipping_type_label shipping_type_standard_code shipping_zone_code shipping_zone_label
            total_commission total_price transaction_date transaction_number
            """
        ),
        "channel": _names("code label"),
        "references": _names("order_reference_for_customer order_reference_for_seller"),
        "customer": _names(
            """
            accounting_contact billing_address civility customer_id delivery_contact firstname lastname
            locale organization shipping_address
            """
        ),
        "customer.shipping_address": _names(
            """
            additional_info city civility company company_2 country country_iso_code firstname lastname
            phone phone_secondary state street_1 street_2 zip_code
            """
        ),
        "order_lines": _names(
            """
            can_refund cancelations category_code category_label commission_fee commission_rate_vat
            commission_taxes commission_vat created_date debited_date description discount_campaign
            eco_contributions fees last_updated_date measurement offer_id offer_sku offer_state_code
            order_line_additional_fields order_line_id order_line_index order_line_state
            order_line_state_reason_code order_line_state_reason_label origin_unit_price price
            price_additional_info price_amount_breakdown price_unit product_medias product_shop_sku
            product_sku product_title promotions purchase_information quantity received_date refunds
            shipped_date shipping_from shipping_price shipping_price_additional_unit
            shipping_price_amount_breakdown shipping_price_unit shipping_taxes tax_legal_notice taxes
            total_commission total_price
            """
        ),
        "order_lines.price_amount_breakdown": _names("parts"),
        "order_lines.taxes": _names(
            """
            amount amount_breakdown code origin_unit_amount purchase_tax rate tax_calculation_rule
            """
        ),
        "order_lines.taxes.amount_breakdown": _names("parts"),
        "order_lines.shipping_taxes": _names("amount amount_breakdown code purchase_tax rate tax_calculation_rule"),
        "order_lines.shipping_taxes.amount_breakdown": _names("parts"),
        "order_lines.commission_taxes": _names("amount code rate"),
        "order_lines.refunds": _names(
            """
            amount amount_breakdown commission_amount commission_tax_amount commission_taxes
            commission_total_amount created_date eco_contributions fees id order_refund_id
            purchase_information quantity reason_code refund_state shipping_amount
            shipping_amount_breakdown shipping_taxes state tax_legal_notice taxes transaction_date
            transaction_number
            """
        ),
        "order_lines.refunds.taxes": _names("amount amount_breakdown code purchase_tax rate"),
        "order_lines.refunds.taxes.amount_breakdown": _names("parts"),
        "order_lines.refunds.shipping_taxes": _names("amount amount_breakdown code purchase_tax rate"),
        "order_lines.refunds.shipping_taxes.amount_breakdown": _names("parts"),
        "order_lines.refunds.commission_taxes": _names("amount code"),
        "order_lines.cancelations": _names(
            """
            amount amount_breakdown commission_amount commission_taxes commission_total_amount
            created_date eco_contributions fees id purchase_information quantity reason_code
            shipping_amount shipping_amount_breakdown shipping_taxes taxes
            """
        ),
        "order_lines.cancelations.taxes": _names("amount amount_breakdown code purchase_tax rate"),
        "order_lines.cancelations.taxes.amount_breakdown": _names("parts"),
        "order_lines.cancelations.shipping_taxes": _names("amount amount_breakdown code purchase_tax rate"),
        "order_lines.cancelations.shipping_taxes.amount_breakdown": _names("parts"),
        "order_lines.cancelations.commission_taxes": _names("amount code"),
    },
    "transaction_lines": {
        "": _names(
            """
            accounting_document_creation_date accounting_document_id accounting_document_number amount
            amount_credited amount_debited balance currency_iso_code date_created entities id
            last_updated pay_out_psp_code payment_state payment_voucher_number psp_balance
            seller_billing_cycle_id shop type
            """
        ),
        "entities": _names(
            """
            channel debit domain fee manual_accounting_document one_off_item order order_fee order_line
            order_tax refund shipment shop_tax transaction_info
            """
        ),
        "entities.order": _names("commercial_id creation_date id payment_info references"),
        "entities.order_line": _names("id"),
        "entities.refund": _names("id"),
        "entities.debit": _names("id"),
        "entities.shipment": _names("id"),
        "entities.order_tax": _names("code rate"),
        "entities.shop_tax": _names("code rate"),
        "entities.fee": _names("cancelations code refunds"),
        "entities.order_fee": _names("code"),
        "entities.manual_accounting_document": _names("emission_date number"),
        "entities.one_off_item": _names("description operation_date quantity references unit_price"),
        "entities.transaction_info": _names("date number"),
        "shop": _names("domains id model operator_internal_id"),
    },
    "billing_cycles": {
        "": _names(
            """
            amount_transferred_to_operator amount_transferred_to_seller currency_iso_code date_created
            id pay_out pay_out_psp_code payment_voucher_number shop summary
            """
        ),
        "pay_out": _names("failure_reason reference state transaction_date"),
        "shop": _names("shop_corporate_name shop_id shop_model shop_name shop_operator_internal_id"),
    },
    "invoices": {
        "": _names(
            """
            emission_date end_time payment_info payment_voucher_number seller_billing_cycle_id start_time summary
            currency_iso_code date_created details due_date id invoice_id issue_date issuing_user pay_out_psp_code
            payment shop_address shop_corporate_name shop_id shop_model shop_name shop_operator_internal_id
            shop_tax_number state total_amount_excl_taxes total_amount_incl_taxes total_charged_amount total_taxes type
            """
        ),
        "payment": _names("failure_reason reference state transaction_date"),
        "details": _names("amount_excl_taxes description operation_date order_id quantity taxes"),
        "total_taxes": _names("amount code"),
    },
    "offers": {
        "": _names(
            """
            active all_prices allow_quote_requests applicable_pricing available_end_date
            available_start_date category_code category_label channels currency_iso_code description
            discount eco_contributions favorite_rank fulfillment inactivity_reasons internal_description
            leadtime_to_ship logistic_class max_order_quantity min_order_quantity min_quantity_alert
            min_shipping_price min_shipping_price_additional min_shipping_type min_shipping_zone msrp
            offer_additional_fields offer_id package_quantity price price_additional_info product_brand
            product_description product_references product_sku product_tax_code product_title quantity
            retail_prices shipping_deadline shop_sku state_code total_price warehouses
            """
        ),
    },
    "account": {
        "": _names(
            """
            applicable_taxes approval_delay approval_rate banner billing_info channels closed_from
            closed_to contact_informations currency_iso_code date_created default_billing_information
            description domains dropship evaluations_count free_shipping grade is_professional kyc
            last_updated_date logo model offers_count order_messages_response_delay orders_count
            payment_details payment_info payment_method_mandatory premium pro_details
            producer_identifiers recycling_policy return_policy shipping shipping_country shipping_types
            shipping_zones shippings shop_additional_fields shop_id shop_name shop_state
            specific_billing_informations suspension_type
            """
        ),
        "payment_details": _names(
            """
            paid_balance payable_balance pending_balance reserve_balance reserve_target sub_balances
            """
        ),
    },
    "platform": {
        "": _names("features modules platform_configuration platform_name tenant_name timezone"),
        "features": _names(
            """
            catalog circular_economy_data_collection competitive_pricing_tool
            direct_payment_customer_store disable_seller_alternative_carrier dropship
            kyc_status_per_seller lead_time_to_ship_by_sellers_enabled multi_currency
            multi_payout_psp_per_seller no_reply_needed offer_prices_decimals operator_csv_delimiter
            order_conditions order_tax_mode order_workflows payment_confirmation pricing
            product_data_validation_by_channel promotion returns shipment shop_tax_options
            tax_collection tax_id_number warehouses
            """
        ),
        "features.shipment": _names("multi_part_item_shipment multi_shipment"),
        "features.tax_collection": _names("activated product_tax_code_mandatory tax_collection_by_operator"),
        "features.order_workflows": _names(
            """
            no_customer_payment_confirmation order_acceptance pause_debit_workflow pay_on_due_date
            pay_on_shipment sellers_edit_shipping_origin shipping_and_billing_details_before_acceptance
            """
        ),
    },
    "carriers": {
        "": _names("code label standard_code tracking_url"),
    },
}
