-- One row per marketplace and marketplace order. Amounts in the order's currency and tax mode.
-- is_excluded: created before the go-live day, so it takes part in no level.

with orders as (
    select * from {{ ref('stg_mirakl__orders') }}
),

marketplaces as (
    select * from {{ ref('int_ledger__marketplaces') }}
),

dated as (
    select
        orders.*,
        marketplaces.entity_code,
        marketplaces.erp_code,
        {{ shop_of('orders.shop_id') }} as ledger_shop_id,
        marketplaces.go_live_date,
        marketplaces.order_tax_mode,
        {{ local_date('orders.created_at', 'marketplaces.time_zone') }} as order_date
    from orders
    inner join marketplaces
        on orders.marketplace_code = marketplaces.marketplace_code
),

final as (
    select
        dated.marketplace_code,
        dated.entity_code,
        dated.erp_code,
        dated.ledger_shop_id as shop_id,
        dated.order_id,
        dated.commercial_id,
        dated.order_state,
        dated.created_at,
        dated.order_date,
        dated.accepted_at,
        dated.customer_debited_at,
        dated.shipping_deadline_at,
        dated.shipping_carrier_code,
        dated.shipping_tracking,
        dated.updated_at,
        dated.currency_code,
        coalesce(dated.tax_mode, dated.order_tax_mode) as tax_mode,
        {{ money('dated.price_amount') }} as price_amount,
        {{ money('dated.shipping_amount') }} as shipping_amount,
        {{ money('dated.total_amount') }} as total_amount,
        {{ money('coalesce(dated.total_commission_amount, 0)') }} as total_commission_amount,
        dated.has_incident,
        dated.is_fully_refunded,
        dated.ship_to_country,
        dated.ship_to_state,
        coalesce(dated.order_date < dated.go_live_date, false) as is_excluded
    from dated
)

select * from final
