-- One row per marketplace and order line of the newest version of its order. Amounts of the whole line, in the tax
-- mode and currency of the order.
{{ config(materialized='table') }}

with parents as (
    select * from {{ ref('stg_mirakl__orders') }}
),

source as (
    select children.*
    from {{ source('raw', 'mirakl_order_lines') }} as children
    inner join parents
        on
            children._account = parents.marketplace_code
            and children._file = parents._file
            and children._position = parents._position
),

final as (
    select
        source._account as marketplace_code,
        nullif(trim(source.order_id), '') as order_id,
        nullif(trim(source.order_line_id), '') as order_line_id,
        try_cast(nullif(trim(source.order_line_index), '') as bigint) as order_line_index,
        upper(nullif(trim(source.order_line_state), '')) as line_state,
        nullif(trim(source.order_line_state_reason_code), '') as line_state_reason_code,
        nullif(trim(source.offer_id), '') as offer_id,
        nullif(trim(source.offer_sku), '') as shop_sku,
        nullif(trim(source.offer_state_code), '') as offer_state_code,
        nullif(trim(source.product_sku), '') as product_sku,
        nullif(trim(source.category_code), '') as category_code,
        nullif(trim(source.category_label), '') as category_label,
        {{ to_decimal('source.quantity') }} as quantity,
        {{ to_decimal('source.price_unit', 6) }} as unit_price,
        {{ to_decimal('source.origin_unit_price', 6) }} as origin_unit_price,
        {{ to_decimal('source.price') }} as price_amount,
        {{ to_decimal('source.shipping_price') }} as shipping_amount,
        {{ to_decimal('source.total_price') }} as total_amount,
        {{ to_decimal('source.commission_fee') }} as commission_amount,
        {{ to_decimal('source.total_commission') }} as total_commission_amount,
        {{ to_decimal('source.operator_funded_amount') }} as operator_funded_amount,
        {{ utc_timestamp('source.created_date') }} as created_at,
        {{ utc_timestamp('source.debited_date') }} as debited_at,
        {{ utc_timestamp('source.shipped_date') }} as shipped_at,
        {{ utc_timestamp('source.received_date') }} as received_at,
        {{ utc_timestamp('source.last_updated_date') }} as updated_at,
        source._index as line_index
    from source
)

select * from final
