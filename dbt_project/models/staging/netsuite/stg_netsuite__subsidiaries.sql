-- One row per subsidiary. An elimination subsidiary only takes entries between the others out again.

with source as (
    {{ newest_snapshot(source('raw', 'netsuite_subsidiaries'), 'netsuite', 'subsidiaries', ['id']) }}
),

final as (
    select
        source._account as erp_code,
        nullif(trim(source.id), '') as subsidiary_id,
        nullif(trim(source.name), '') as subsidiary_name,
        nullif(trim(source.currency), '') as currency_id,
        nullif(trim(source.parent), '') as parent_id,
        coalesce(source.iselimination, false) as is_elimination,
        coalesce(source.isinactive, false) as is_inactive,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final
