"""Orders (OR11, OR15)."""

from __future__ import annotations

from connectors.mirakl.documented.names import names

DOCUMENTED: dict[str, dict[str, frozenset[str]]] = {
    "orders": {
        "": names(
            """
            acceptance_decision_date can_cancel can_evaluate can_shop_ship channel commercial_id commissionable
            created_date currency_iso_code customer customer_debited_date customer_directly_pays_seller
            customer_notification_email delivery_date discount_campaigns fulfillment fully_refunded
            has_customer_message has_incident has_invoice imprint_number invoice_details last_updated_date
            leadtime_to_ship order_additional_fields order_id order_lines order_refunds order_state
            order_state_reason_code order_state_reason_label order_tax_mode order_taxes pay_out_psp_code
            paymentType payment_destination payment_duration payment_type payment_workflow price promotions
            quote_id references shipping_carrier_code shipping_carrier_standard_code shipping_company
            shipping_deadline shipping_price shipping_pudo_id shipping_tracking shipping_tracking_url
            shipping_type_code shipping_type_label shipping_type_standard_code shipping_zone_code
            shipping_zone_label shop_id shop_name total_commission total_price transaction_date
            transaction_number waiting_funding_confirmation waiting_tax_confirmation
            """
        ),
        "channel": names("code label"),
        "references": names("order_reference_for_customer order_reference_for_seller"),
        "customer": names(
            """
            accounting_contact billing_address civility customer_id delivery_contact email firstname lastname
            locale organization shipping_address
            """
        ),
        "customer.shipping_address": names(
            """
            additional_info city civility company company_2 country country_iso_code firstname
            internal_additional_info lastname phone phone_secondary state street_1 street_2 zip_code
            """
        ),
        "order_lines": names(
            """
            can_open_incident can_refund cancelations category_code category_label commission_fee
            commission_rate_vat commission_taxes commission_vat created_date debited_date description
            discount_campaign eco_contributions fees funding last_updated_date measurement offer_id offer_sku
            offer_state_code order_line_additional_fields order_line_id order_line_index order_line_state
            order_line_state_reason_code order_line_state_reason_label origin_unit_price price
            price_additional_info price_amount_breakdown price_unit product_medias product_shop_sku product_sku
            product_title promotions purchase_information quantity received_date refunds shipped_date
            shipping_from shipping_price shipping_price_additional_unit shipping_price_amount_breakdown
            shipping_price_unit shipping_taxes tax_legal_notice tax_recalculation_required taxes
            total_commission total_price
            """
        ),
        "order_lines.price_amount_breakdown": names("parts"),
        "order_lines.taxes": names(
            """
            amount amount_breakdown code origin_unit_amount purchase_tax rate tax_calculation_rule
            """
        ),
        "order_lines.taxes.amount_breakdown": names("parts"),
        "order_lines.shipping_taxes": names("amount amount_breakdown code purchase_tax rate tax_calculation_rule"),
        "order_lines.shipping_taxes.amount_breakdown": names("parts"),
        "order_lines.commission_taxes": names("amount code rate"),
        "order_lines.refunds": names(
            """
            amount amount_breakdown commission_amount commission_tax_amount commission_taxes
            commission_total_amount created_date eco_contributions fees funding id order_refund_id
            purchase_information quantity reason_code refund_state shipping_amount shipping_amount_breakdown
            shipping_taxes state tax_legal_notice taxes transaction_date transaction_number
            """
        ),
        "order_lines.refunds.taxes": names("amount amount_breakdown code purchase_tax rate"),
        "order_lines.refunds.taxes.amount_breakdown": names("parts"),
        "order_lines.refunds.shipping_taxes": names("amount amount_breakdown code purchase_tax rate"),
        "order_lines.refunds.shipping_taxes.amount_breakdown": names("parts"),
        "order_lines.refunds.commission_taxes": names("amount code"),
        "order_lines.cancelations": names(
            """
            amount amount_breakdown commission_amount commission_taxes commission_total_amount created_date
            eco_contributions fees funding id purchase_information quantity reason_code shipping_amount
            shipping_amount_breakdown shipping_taxes taxes
            """
        ),
        "order_lines.cancelations.taxes": names("amount amount_breakdown code purchase_tax rate"),
        "order_lines.cancelations.taxes.amount_breakdown": names("parts"),
        "order_lines.cancelations.shipping_taxes": names("amount amount_breakdown code purchase_tax rate"),
        "order_lines.cancelations.shipping_taxes.amount_breakdown": names("parts"),
        "order_lines.cancelations.commission_taxes": names("amount code"),
    },
}
