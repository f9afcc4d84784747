-- One row per price list of the company.

with source as (
    {{ newest_snapshot(source('raw', 'sage200_price_bands'), 'sage200', 'price_bands', ['id']) }}
),

final as (
    select
        source._account as erp_code,
        nullif(trim(source.id), '') as price_band_id,
        nullif(trim(source.name), '') as price_list,
        coalesce(source.is_standard_band, false) as is_standard,
        coalesce(source.is_active, true) as is_active,
        case when source.is_time_based then {{ utc_timestamp('source.active_date_time_from') }} end as valid_from,
        case when source.is_time_based then {{ utc_timestamp('source.active_date_time_to') }} end as valid_until,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final
