-- One row per offer that was read by itself.

with source as (
    {{ newest_versions(source('raw', 'mirakl_offer_details'), ['offer_id']) }}
),

final as (
    select
        source._account as marketplace_code,
        nullif(trim(source.offer_id), '') as offer_id,
        nullif(trim(source.shop_id), '') as shop_id,
        nullif(trim(source.shop_sku), '') as shop_sku,
        nullif(trim(source.product_sku), '') as product_sku,
        nullif(trim(source.inactivity_reasons), '') as inactivity_reasons,
        upper(nullif(trim(source.currency_iso_code), '')) as currency_code,
        {{ to_decimal('source.quantity') }} as quantity,
        {{ to_decimal('source.price') }} as price_amount,
        coalesce(source.active, false) as is_active,
        {{ utc_timestamp('source.available_start_date') }} as available_from,
        {{ utc_timestamp('source.available_end_date') }} as available_until,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final
