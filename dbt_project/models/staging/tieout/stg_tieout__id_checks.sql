-- One row per record that a complete reading of a past window found on one side only, or on both sides since, as last checked.
-- A row without a record says that a window was checked. Never both flags false.

with source as (
    select * from {{ source('raw', 'tieout_id_checks') }}
),

final as (
    select
        source.vendor,
        source.account,
        source.entity,
        cast(source.checked_at as timestamp) as checked_at,
        cast(source.window_from as timestamp) as window_from,
        cast(source.window_to as timestamp) as window_to,
        nullif(trim(source.record_id), '') as record_id,
        cast(source.found_at_vendor as boolean) as is_at_vendor,
        cast(source.found_here as boolean) as was_here
    from source
)

select * from final
