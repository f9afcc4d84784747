-- One row per item, currency and price level.

with source as (
    {{ newest_snapshot(
        source('raw', 'netsuite_prices'), 'netsuite', 'prices', ['item', 'currencypage', 'pricelevelname']
    ) }}
),

final as (
    select
        source._account as erp_code,
        nullif(trim(source.item), '') as item_id,
        nullif(trim(source.currencypage), '') as currency_id,
        nullif(trim(source.pricelevelname), '') as price_list,
        {{ to_decimal('source.price') }} as price_amount,
        coalesce(source.isinactive, false) as is_inactive,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final
