-- One row per extraction of one feed: when it ended, and whether it ended completely.

with source as (
    select * from {{ source('raw', 'batches') }}
),

final as (
    select
        source.batch,
        source.vendor,
        source.account,
        source.entity,
        source.batch_mode,
        source.records_received,
        source.records_landed,
        source.records_unchanged,
        source.declared_count,
        source.started_at,
        source.finished_at,
        coalesce(source.is_complete, false) as is_batch_complete
    from source
)

select * from final
