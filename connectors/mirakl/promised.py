"""The members that Mirakl's specification promises in every record (`required`), as far as a column is read from them.

Its own examples break the promise in places, so an absent one is counted and refuses nothing. Customers and addresses
are left out: they are promised too, and known to be absent before an order is shipped. Lines and documents of money
(TL02, SBC11, IV01) promise nothing beyond what their tables cannot do without.
"""

from __future__ import annotations

from connectors.mirakl.documented.names import names

PROMISED: dict[str, frozenset[str]] = {
    "orders": names(
        """
        commercial_id fully_refunded has_incident last_updated_date order_lines.cancelations.commission_amount
        order_lines.cancelations.commission_taxes.code order_lines.cancelations.commission_total_amount
        order_lines.cancelations.created_date order_lines.cancelations.shipping_taxes.code
        order_lines.cancelations.taxes.code order_lines.category_code order_lines.category_label
        order_lines.commission_fee order_lines.commission_taxes.code order_lines.commission_taxes.rate
        order_lines.created_date order_lines.last_updated_date order_lines.offer_id order_lines.offer_sku
        order_lines.offer_state_code order_lines.order_line_index order_lines.price_unit order_lines.product_sku
        order_lines.refunds.commission_amount order_lines.refunds.commission_tax_amount
        order_lines.refunds.commission_taxes.code order_lines.refunds.commission_total_amount
        order_lines.refunds.created_date order_lines.refunds.order_refund_id order_lines.refunds.quantity
        order_lines.refunds.reason_code order_lines.refunds.shipping_taxes.code order_lines.refunds.taxes.code
        order_lines.shipping_taxes.code order_lines.shipping_taxes.tax_calculation_rule order_lines.taxes.code
        order_lines.taxes.tax_calculation_rule order_lines.total_commission order_tax_mode shipping_type_code
        shipping_zone_code total_commission
        """
    ),
    "document_requests": names(
        """
        currency_iso_code date_created due_date entity_id entity_type initial_documents.issue_date
        initial_documents.type initial_payment_state issue_date issuer.type last_updated state taxes.code
        total_tax_amount type
        """
    ),
    "document_request_lines": names(
        """
        entity_id entity_type price_excluding_taxes quantity shipping_taxes.code shop.id taxes.code
        total_price_including_taxes unit_price_excluding_taxes
        """
    ),
    "payment_debits": names(
        """
        currency_iso_code debit_entity.id debit_entity.type order_commercial_id order_lines.offer_id
        order_lines.order_line_quantity shop_id
        """
    ),
    "payment_refunds": names(
        """
        amount currency_iso_code order_commercial_id payment_workflow shop_id
        """
    ),
    "offers": names(
        """
        active category_code currency_iso_code leadtime_to_ship min_order_quantity package_quantity
        product_references product_sku product_title state_code
        """
    ),
    "offer_details": names(
        """
        active category_code currency_iso_code leadtime_to_ship min_order_quantity package_quantity product_sku
        product_title state_code
        """
    ),
    "products": names(
        """
        category_code category_label product_id_type product_sku product_title
        """
    ),
    "returns": names(
        """
        date_created last_updated method_code order_commercial_id order_id return_lines.reason_code state
        """
    ),
    "shipments": names(
        """
        created_date last_updated_date order_id status status_customer_debit
        """
    ),
    "items_to_ship": names(
        """
        shipping_date shipping_type_code
        """
    ),
    "order_documents": names(
        """
        type
        """
    ),
    "threads": names(
        """
        date_created date_updated entities.type metadata.last_message_date metadata.last_sender.type
        metadata.shop_reply_needed_since metadata.total_count topic.type
        """
    ),
    "account": names(
        """
        currency_iso_code payment_details.paid_balance payment_details.payable_balance
        payment_details.pending_balance shop_name shop_state
        """
    ),
    "shops": names(
        """
        channels currency_iso_code date_created domains is_professional last_updated_date
        payment_details.paid_balance payment_details.pay_subscription payment_details.payable_balance
        payment_details.payment_blocked payment_details.pending_balance shop_name shop_state
        """
    ),
    "platform": names(
        """
        features.offer_prices_decimals features.operator_csv_delimiter features.order_tax_mode
        features.order_workflows.order_acceptance features.payment_confirmation features.shipment.multi_shipment
        features.tax_collection.tax_collection_by_operator timezone
        """
    ),
    "carriers": names(
        """
        label
        """
    ),
    "currencies": names(
        """
        label
        """
    ),
    "channels": names(
        """
        label
        """
    ),
    "offer_conditions": names(
        """
        label
        """
    ),
    "reasons": names(
        """
        is_shop_right label
        """
    ),
    "shipping_zones": names(
        """
        label
        """
    ),
    "shipping_methods": names(
        """
        click_and_collect delivery_by_operator label mandatory_tracking
        """
    ),
    "custom_fields": names(
        """
        label required type
        """
    ),
}
