-- One row per order with goods that wait to be shipped, as of the newest whole reading.

with source as (
    {{ newest_snapshot(source('raw', 'mirakl_items_to_ship'), 'mirakl', 'items_to_ship', ['order_id']) }}
),

final as (
    select
        source._account as marketplace_code,
        nullif(trim(source.order_id), '') as order_id,
        nullif(trim(source.shop_id), '') as shop_id,
        nullif(trim(source.shipping_type_code), '') as shipping_type_code,
        nullif(trim(source.order_reference_for_seller), '') as order_reference_for_seller,
        nullif(trim(source.ship_to_country), '') as ship_to_country,
        {{ utc_timestamp('source.shipping_date') }} as ship_from_at,
        {{ utc_timestamp('source.shipping_deadline') }} as shipping_deadline_at,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final
