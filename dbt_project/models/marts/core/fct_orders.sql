-- One row per marketplace order, with the ERP order that stands for it. Amounts in the order's currency; commission positive.

with orders as (
    select * from {{ ref('int_ledger__orders') }}
),

pairs as (
    select * from {{ ref('int_matching__order_pairs') }}
),

erp_orders as (
    select * from {{ ref('int_ledger__erp_orders') }}
),

order_lines as (
    select
        marketplace_code,
        order_id,
        count(*) as line_count,
        {{ money('sum(cancelled_amount + cancelled_shipping_amount)') }} as cancelled_amount,
        {{ money('sum(refunded_amount + refunded_shipping_amount)') }} as refunded_amount,
        max(shipped_at) as shipped_at,
        max(received_at) as received_at
    from {{ ref('int_ledger__order_lines') }}
    group by marketplace_code, order_id
),

final as (
    select
        orders.marketplace_code,
        orders.entity_code,
        orders.shop_id,
        orders.order_id,
        orders.commercial_id,
        orders.order_state,
        orders.order_date,
        orders.created_at,
        orders.accepted_at,
        orders.customer_debited_at,
        order_lines.shipped_at,
        order_lines.received_at,
        orders.shipping_deadline_at,
        orders.currency_code,
        orders.tax_mode,
        orders.price_amount,
        orders.shipping_amount,
        orders.total_amount,
        orders.total_commission_amount,
        {{ money('coalesce(order_lines.cancelled_amount, 0)') }} as cancelled_amount,
        {{ money('coalesce(order_lines.refunded_amount, 0)') }} as refunded_amount,
        cast(coalesce(order_lines.line_count, 0) as bigint) as line_count,
        orders.has_incident,
        orders.is_excluded,
        orders.erp_code,
        pairs.document_no as erp_document_no,
        pairs.erp_status,
        erp_orders.customer_reference as erp_customer_reference,
        erp_orders.net_amount as erp_net_amount,
        erp_orders.tax_amount as erp_tax_amount,
        erp_orders.gross_amount as erp_gross_amount,
        cast(pairs.live_copy_count as bigint) as erp_live_copy_count
    from orders
    left join pairs
        on
            orders.marketplace_code = pairs.marketplace_code
            and orders.order_id = pairs.order_id
    left join erp_orders
        on
            pairs.erp_code = erp_orders.erp_code
            and pairs.erp_order_id = erp_orders.erp_order_id
    left join order_lines
        on
            orders.marketplace_code = order_lines.marketplace_code
            and orders.order_id = order_lines.order_id
)

select * from final
