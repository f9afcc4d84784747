-- One row per return of goods, the newest version received.

with source as (
    {{ newest_versions(source('raw', 'mirakl_returns'), ['id'], 'last_updated') }}
),

final as (
    select
        source._account as marketplace_code,
        nullif(trim(source.id), '') as return_id,
        upper(nullif(trim(source.state), '')) as return_state,
        nullif(trim(source.rma), '') as rma_number,
        nullif(trim(source.order_id), '') as order_id,
        nullif(trim(source.shop_id), '') as shop_id,
        nullif(trim(source.reason_code), '') as reason_code,
        nullif(trim(source.rejection_reason_code), '') as rejection_reason_code,
        nullif(trim(source.carrier_code), '') as carrier_code,
        nullif(trim(source.carrier_name), '') as carrier_name,
        nullif(trim(source.tracking_number), '') as tracking_number,
        {{ utc_timestamp('source.date_created') }} as created_at,
        {{ utc_timestamp('source.last_updated') }} as updated_at,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final
