-- One row per item and price list that it is on.

with source as (
    {{ newest_snapshot(
        source('raw', 'sage200_product_prices'), 'sage200', 'product_prices', ['product_price_id']
    ) }}
),

final as (
    select
        source._account as erp_code,
        nullif(trim(source.product_price_id), '') as product_price_id,
        nullif(trim(source.product_id), '') as product_id,
        nullif(trim(source.price_band_id), '') as price_band_id,
        nullif(nullif(trim(source.currency_id), ''), '0') as currency_id,
        coalesce(source.product_price_use_standard, false) as is_standard_price,
        {{ to_decimal('source.product_price_price') }} as price_amount,
        {{ utc_timestamp('source.date_time_updated') }} as updated_at,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final
