-- One row per offer as an export last showed it; is_deleted offers are gone from the marketplace.
{{ config(materialized='table') }}

with source as (
    {{ newest_versions(source('raw', 'mirakl_offer_changes'), ['offer_id'], 'last_updated') }}
),

final as (
    select
        source._account as marketplace_code,
        nullif(trim(source.offer_id), '') as offer_id,
        nullif(trim(source.shop_id), '') as shop_id,
        nullif(trim(source.shop_sku), '') as shop_sku,
        nullif(trim(source.product_sku), '') as product_sku,
        nullif(trim(source.state_code), '') as state_code,
        upper(nullif(trim(source.currency_iso_code), '')) as currency_code,
        {{ to_decimal('source.quantity') }} as quantity,
        {{ to_decimal('source.leadtime_to_ship') }} as lead_time_days,
        {{ to_decimal('source.min_order_quantity') }} as min_order_quantity,
        {{ to_decimal('source.package_quantity') }} as package_quantity,
        coalesce(source.active, false) as is_active,
        coalesce(source.deleted, false) as is_deleted,
        {{ utc_timestamp('source.last_updated') }} as updated_at,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final
