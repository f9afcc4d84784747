-- Days on which nobody works.

with source as (
    select * from {{ ref('holidays') }}
),

final as (
    select
        nullif(trim(source.calendar_code), '') as calendar_code,
        cast(nullif(trim(source.holiday_date), '') as date) as holiday_date,
        nullif(trim(source.holiday_name), '') as holiday_name
    from source
)

select * from final
