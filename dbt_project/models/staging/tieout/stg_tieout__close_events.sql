-- One row per signature, lock or re-opening of an entity's period, as it stood when this build began.

with source as (
    select * from {{ source('raw', 'tieout_close_events') }}
),

final as (
    select
        source.close_key,
        cast(source.sequence as integer) as event_number,
        source.entity_code,
        source.period,
        source.kind,
        source.role,
        source.state = 'STANDING' as is_standing,
        source.evidence_hash,
        source.left_open,
        source.conflict_key,
        cast(source.taken_at as timestamp) as taken_at
    from source
)

select * from final
