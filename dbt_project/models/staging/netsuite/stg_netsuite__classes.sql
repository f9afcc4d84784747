-- One row per class: what Tieout calls a cost centre, and on an order the marketplace.

with source as (
    {{ newest_snapshot(source('raw', 'netsuite_classes'), 'netsuite', 'classes', ['id']) }}
),

final as (
    select
        source._account as erp_code,
        nullif(trim(source.id), '') as class_id,
        nullif(trim(source.name), '') as class_name,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final
