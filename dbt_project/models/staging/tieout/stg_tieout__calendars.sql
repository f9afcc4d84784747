-- When people work. opens_minute, closes_minute: minutes after midnight on the wall of the entity.

with source as (
    select * from {{ ref('calendars') }}
),

final as (
    select
        nullif(trim(source.calendar_code), '') as calendar_code,
        nullif(trim(source.working_days), '') as working_days,
        cast(substr(trim(source.opens_at), 1, 2) as integer) * 60
        + cast(substr(trim(source.opens_at), 4, 2) as integer) as opens_minute,
        cast(substr(trim(source.closes_at), 1, 2) as integer) * 60
        + cast(substr(trim(source.closes_at), 4, 2) as integer) as closes_minute
    from source
)

select * from final
