-- One row per key, call and allowance window: what was used of it when it was last measured. Empty where calls are not paced.

with source as (
    select * from {{ source('raw', 'tieout_call_usage') }}
),

final as (
    select
        source.vendor,
        source.key_name,
        source.call as call_name,
        cast(source.measured_at as timestamp) as measured_at,
        cast(source.window_seconds as bigint) as window_seconds,
        cast(source.calls_in_window as bigint) as used_count,
        cast(source.maximum_calls as bigint) as maximum_count,
        cast(source.recommended_calls as bigint) as recommended_count,
        cast(source.recommended_seconds as bigint) as recommended_seconds,
        cast(source.last_call_at as timestamp) as last_call_at,
        cast(source.next_allowed_at as timestamp) as next_allowed_at,
        cast(source.throttled_count as bigint) as throttled_count
    from source
)

select * from final
