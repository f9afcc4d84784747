-- One row per offer of the newest complete snapshot.
{{ config(materialized='table') }}

with source as (
    {{ newest_snapshot(source('raw', 'mirakl_offers'), 'mirakl', 'offers', ['offer_id']) }}
),

final as (
    select
        source._account as marketplace_code,
        nullif(trim(source.offer_id), '') as offer_id,
        nullif(trim(source.shop_sku), '') as shop_sku,
        nullif(trim(source.product_sku), '') as product_sku,
        nullif(trim(source.product_title), '') as product_title,
        nullif(trim(source.product_reference), '') as product_reference,
        nullif(trim(source.state_code), '') as state_code,
        nullif(trim(source.category_code), '') as category_code,
        nullif(trim(source.inactivity_reasons), '') as inactivity_reasons,
        upper(nullif(trim(source.currency_iso_code), '')) as currency_code,
        {{ to_decimal('source.quantity') }} as quantity,
        {{ to_decimal('source.price') }} as price_amount,
        {{ to_decimal('source.total_price') }} as total_amount,
        {{ to_decimal('source.leadtime_to_ship') }} as lead_time_days,
        {{ to_decimal('source.min_order_quantity') }} as min_order_quantity,
        {{ to_decimal('source.package_quantity') }} as package_quantity,
        coalesce(source.active, false) as is_active,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final
