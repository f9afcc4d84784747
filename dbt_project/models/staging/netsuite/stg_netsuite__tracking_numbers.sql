-- One row per transaction and tracking number. is_gone: its transaction was deleted, or was read again without it.
{{ config(materialized='table') }}

with source as (
    {{ netsuite_newest_lines(source('raw', 'netsuite_tracking_numbers'), ['transaction', 'tracking_id']) }}
),

deleted as (
    {{ netsuite_deleted('TRANSACTION') }}
),

final as (
    select
        source._account as erp_code,
        nullif(trim(source.transaction), '') as transaction_id,
        nullif(trim(source.tracking_id), '') as tracking_id,
        nullif(trim(source.tracking_number), '') as tracking_number,
        source.is_removed or deleted.record_id is not null as is_gone,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
    left join deleted
        on
            source._account = deleted.erp_code
            and trim(source.transaction) = deleted.record_id
)

select * from final
