-- One row per refused record and field: where it lies in the evidence and why it was refused.

with source as (
    select * from {{ source('raw', 'quarantine') }}
),

final as (
    select
        source.vendor,
        source.account,
        source.entity,
        source.file as file_path,
        source.position as record_position,
        source.record_id,
        source.field as field_name,
        source.reason,
        source.code as reason_code,
        source.first_seen_at
    from source
)

select * from final
