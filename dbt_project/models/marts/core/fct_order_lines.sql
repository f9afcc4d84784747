-- One row per marketplace order line, with the ERP line beside it. Amounts of the whole line in the order's currency and tax
-- mode, positive; due_* is what is left after cancelations.

with order_lines as (
    select * from {{ ref('int_ledger__order_lines') }}
),

line_pairs as (
    select * from {{ ref('int_matching__order_line_pairs') }}
    where is_in_marketplace
),

final as (
    select
        order_lines.marketplace_code,
        order_lines.entity_code,
        order_lines.order_id,
        order_lines.order_line_id,
        order_lines.line_state,
        order_lines.shop_sku,
        order_lines.item_code,
        order_lines.category_code,
        order_lines.quantity,
        order_lines.unit_price,
        order_lines.currency_code,
        order_lines.price_amount,
        order_lines.shipping_amount,
        order_lines.total_amount,
        order_lines.tax_amount,
        order_lines.shipping_tax_amount,
        order_lines.commission_amount,
        order_lines.commission_vat_amount,
        order_lines.operator_funded_amount,
        order_lines.cancelled_quantity,
        order_lines.cancelled_amount,
        order_lines.cancelled_shipping_amount,
        order_lines.refunded_amount,
        order_lines.refunded_shipping_amount,
        order_lines.created_at,
        order_lines.debited_at,
        order_lines.shipped_at,
        order_lines.received_at,
        line_pairs.document_no as erp_document_no,
        line_pairs.erp_order_line_id,
        line_pairs.erp_item_code,
        case when line_pairs.is_in_erp then line_pairs.erp_quantity end as erp_quantity,
        case when line_pairs.is_in_erp then line_pairs.erp_despatched_quantity end as erp_despatched_quantity,
        case when line_pairs.is_in_erp then line_pairs.erp_net_amount end as erp_net_amount,
        case when line_pairs.is_in_erp then line_pairs.erp_tax_amount end as erp_tax_amount,
        case when line_pairs.is_in_erp then line_pairs.erp_gross_amount end as erp_gross_amount,
        line_pairs.erp_tax_code
    from order_lines
    left join line_pairs
        on
            order_lines.marketplace_code = line_pairs.marketplace_code
            and order_lines.order_id = line_pairs.order_id
            and order_lines.order_line_id = line_pairs.order_line_id
)

select * from final
