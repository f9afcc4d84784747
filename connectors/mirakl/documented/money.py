"""Transaction lines (TL02, TL05), cycles (SBC11), documents (IV01), document requests (DR11, DR12), debits and refunds
(PA11, PA12)."""

from __future__ import annotations

from connectors.mirakl.documented.names import names

DOCUMENTED: dict[str, dict[str, frozenset[str]]] = {
    "transaction_lines": {
        "": names(
            """
            accounting_document_creation_date accounting_document_id accounting_document_number amount
            amount_credited amount_debited balance currency_iso_code date_created entities id last_updated
            pay_out_psp_code payment_state payment_voucher_number psp_balance seller_billing_cycle_id shop type
            """
        ),
        "entities": names(
            """
            channel debit domain fee manual_accounting_document one_off_item order order_fee order_line
            order_tax refund shipment shop_tax transaction_info
            """
        ),
        "entities.order": names("commercial_id creation_date id payment_info references"),
        "entities.order_line": names("id"),
        "entities.refund": names("id"),
        "entities.debit": names("id"),
        "entities.shipment": names("id"),
        "entities.order_tax": names("code rate"),
        "entities.shop_tax": names("code rate"),
        "entities.fee": names("cancelations code refunds"),
        "entities.order_fee": names("code"),
        "entities.manual_accounting_document": names("emission_date number"),
        "entities.one_off_item": names("description operation_date quantity references unit_price"),
        "entities.transaction_info": names("date number"),
        "shop": names("domains id model operator_internal_id"),
    },
    "billing_cycles": {
        "": names(
            """
            amount_transferred_to_operator amount_transferred_to_seller currency_iso_code date_created id
            pay_out pay_out_psp_code payment_voucher_number shop summary
            """
        ),
        "pay_out": names("failure_reason reference state transaction_date"),
        "shop": names("shop_corporate_name shop_id shop_model shop_name shop_operator_internal_id"),
    },
    "invoices": {
        "": names(
            """
            currency_iso_code date_created details due_date emission_date end_time id invoice_id issue_date
            issuing_user pay_out_psp_code payment payment_info payment_voucher_number seller_billing_cycle_id
            shop_address shop_corporate_name shop_id shop_model shop_name shop_operator_internal_id
            shop_tax_number start_time state summary total_amount_excl_taxes total_amount_incl_taxes
            total_charged_amount total_taxes type
            """
        ),
        "summary": names(
            """
            amount_transferred amount_transferred_to_operator reserve_funding reserve_settlement
            total_commissions_excl_tax total_commissions_incl_tax total_fee_excl_tax total_fee_incl_tax
            total_fee_operator_remitted_excl_tax total_fee_operator_remitted_incl_tax
            total_non_payable_orders_excl_tax total_non_payable_orders_incl_tax
            total_operator_paid_shipping_charges_excl_tax total_operator_paid_shipping_charges_incl_tax
            total_operator_remitted_taxes total_other_credits_excl_tax total_other_credits_incl_tax
            total_other_invoices_excl_tax total_other_invoices_incl_tax total_payable_orders_excl_tax
            total_payable_orders_incl_tax total_purchase_taxes total_refund_commissions_excl_tax
            total_refund_commissions_incl_tax total_refund_fee_excl_tax total_refund_fee_incl_tax
            total_refund_fee_operator_remitted_excl_tax total_refund_fee_operator_remitted_incl_tax
            total_refund_non_payable_orders_excl_tax total_refund_non_payable_orders_incl_tax
            total_refund_operator_paid_shipping_charges_excl_tax
            total_refund_operator_paid_shipping_charges_incl_tax total_refund_operator_remitted_taxes
            total_refund_orders_excl_tax total_refund_orders_incl_tax total_refund_payable_orders_excl_tax
            total_refund_payable_orders_incl_tax total_refund_purchase_taxes
            total_seller_fees_on_orders_excl_tax total_seller_fees_on_orders_incl_tax
            total_seller_penalty_fees_excl_tax total_seller_penalty_fees_incl_tax total_subscription_excl_tax
            total_subscription_incl_tax
            """
        ),
        "payment": names("failure_reason reference state transaction_date"),
        "details": names("amount_excl_taxes description operation_date order_id quantity taxes"),
        "total_taxes": names("amount code"),
    },
    "document_requests": {
        "": names(
            """
            currency_iso_code date_created document_details document_number document_upload_date due_date
            entities entity_date_created entity_id entity_type id initial_documents initial_payment_state
            issue_date issuer last_updated payment payment_destination payment_terms recipient state taxes
            total_amount_excluding_taxes total_amount_including_taxes total_tax_amount type
            """
        ),
        "issuer": names("id locale organization type"),
        "recipient": names("billing_address id locale organization shipping_address type"),
        "entities": names(
            """
            delivery_bill_information ship_to_iso_country_code shipping_information shop_billing_cycle
            """
        ),
        "entities.shop_billing_cycle": names("date_from date_to id"),
        "payment": names("reference state transaction_date"),
        "taxes": names("code rate total_amount"),
        "initial_documents": names("id issue_date number type"),
    },
    "document_request_lines": {
        "": names(
            """
            delivery_bill_information description eco_contributions entity_id entity_type fees_excluding_taxes
            id operation_date order order_line origin_unit_price_excluding_taxes
            origin_unit_price_including_taxes period price_excluding_taxes product promotions quantity
            references shipping_from shipping_price_excluding_taxes shipping_taxes shipping_to shop
            tax_legal_notice taxes total_price_including_taxes unit_price_excluding_taxes
            """
        ),
        "order": names("commercial_id date_created id reference_for_customer reference_for_seller transaction_info"),
        "order_line": names("id"),
        "shop": names("id"),
        "product": names("references sku title"),
        "period": names("date_from date_to"),
        "taxes": names("amount code rate"),
        "shipping_taxes": names("amount code rate"),
    },
    "payment_debits": {
        "": names(
            """
            amount currency_iso_code customer_id debit_entity imprint_number order_commercial_id order_id
            order_lines pay_out_psp_code payment_destination payment_type payment_workflow shop_id
            """
        ),
        "debit_entity": names("id type"),
        "order_lines": names("funding offer_id order_line_amount order_line_id order_line_quantity"),
    },
    "payment_refunds": {
        "": names(
            """
            amount currency_iso_code customer_id imprint_number order_commercial_id order_id order_lines
            pay_out_psp_code payment_destination payment_type payment_workflow shop_id
            """
        ),
        "order_lines": names("offer_id order_line_amount order_line_id order_line_quantity refunds"),
        "order_lines.refunds": names("amount funding id"),
    },
}
