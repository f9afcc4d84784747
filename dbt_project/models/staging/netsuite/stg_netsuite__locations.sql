-- One row per location. subsidiary_ids is text such as '2, 3': the subsidiaries that it belongs to.

with source as (
    {{ newest_snapshot(source('raw', 'netsuite_locations'), 'netsuite', 'locations', ['id']) }}
),

final as (
    select
        source._account as erp_code,
        nullif(trim(source.id), '') as location_id,
        nullif(trim(source.name), '') as location_name,
        nullif(trim(source.subsidiary), '') as subsidiary_ids,
        coalesce(source.isinactive, false) as is_inactive,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final
