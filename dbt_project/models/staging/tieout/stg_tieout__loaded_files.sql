-- One row per landing file that was loaded: records = inserted + duplicates + quarantined.

with source as (
    select * from {{ source('raw', 'loaded_files') }}
),

final as (
    select
        source.path as file_path,
        source.vendor,
        source.account,
        source.entity,
        source.record_count,
        source.inserted as inserted_count,
        source.duplicates as duplicate_count,
        source.quarantined as quarantined_count
    from source
)

select * from final
