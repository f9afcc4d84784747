-- One row per department.

with source as (
    {{ newest_snapshot(source('raw', 'netsuite_departments'), 'netsuite', 'departments', ['id']) }}
),

final as (
    select
        source._account as erp_code,
        nullif(trim(source.id), '') as department_id,
        nullif(trim(source.name), '') as department_name,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final
