-- One row per shop and channel of which the marketplace keeps statistics.

with source as (
    {{ newest_snapshot(source('raw', 'mirakl_account_statistics'), 'mirakl', 'account_statistics', ['shop_id']) }}
),

final as (
    select
        source._account as marketplace_code,
        nullif(trim(source.shop_id), '') as shop_id,
        nullif(trim(source.channel), '') as channel_code,
        {{ utc_timestamp('source.last_updated_date') }} as updated_at,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final
