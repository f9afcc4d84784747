-- One row per landing file: the manifest of the evidence, with the number of records each file holds.

with source as (
    select * from {{ source('raw', 'landing_files') }}
),

final as (
    select
        source.path as file_path,
        source.vendor,
        source.account,
        source.entity,
        source.batch,
        source.batch_mode,
        source.record_count,
        source.declared_count,
        source.byte_count,
        source.sha256,
        source.landed_at,
        coalesce(source.is_batch_complete, false) as is_batch_complete,
        coalesce(source.has_persons, true) as has_persons
    from source
)

select * from final
