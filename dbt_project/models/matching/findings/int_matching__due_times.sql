-- Grain: entity × promise (unit and number): when what is found in this run is due, in UTC. Promises count in the working time of the
-- entity's calendar; what is seen outside of it counts from the next opening. Entity * is for findings that belong to none: Monday to
-- Friday, 09:00 to 17:00 UTC.
with

entities as (

    select
        entities.entity_code,
        entities.time_zone,
        entities.calendar_code,
        calendars.working_days,
        calendars.opens_minute,
        calendars.closes_minute
    from {{ ref('stg_tieout__entities') }} as entities
    inner join {{ ref('stg_tieout__calendars') }} as calendars
        on entities.calendar_code = calendars.calendar_code
    union all
    select
        '*' as entity_code,
        'UTC' as time_zone,
        cast(null as varchar) as calendar_code,
        '1|2|3|4|5' as working_days,
        540 as opens_minute,
        1020 as closes_minute

),

holidays as (

    select * from {{ ref('stg_tieout__holidays') }}

),

promises as (

    select distinct
        codes.sla_unit,
        coalesce(codes.sla_amount, 0) as sla_amount
    from {{ ref('stg_tieout__exception_codes') }} as codes

),

digits as (

    {% for digit in range(10) -%}
    select {{ digit }} as digit
    {% if not loop.last -%}
    union all
    {% endif -%}
    {%- endfor %}

),

nows as (

    select
        entities.*,
        {{ local_date(as_of(), 'entities.time_zone') }} as today,
        {{ minutes_between(
            'cast(' ~ local_date(as_of(), 'entities.time_zone') ~ ' as timestamp)',
            local_timestamp(as_of(), 'entities.time_zone')
        ) }} as minute_now
    from entities

),

days as (

    -- A hundred days reach beyond the fourth working day after any month's end.
    select
        nows.entity_code,
        nows.calendar_code,
        nows.working_days,
        {{ add_days('nows.today', 'ones.digit + 10 * tens.digit') }} as calendar_date
    from nows
    cross join digits as ones
    cross join digits as tens

),

working_days as (

    select
        days.entity_code,
        days.calendar_date,
        row_number() over (partition by days.entity_code order by days.calendar_date) as day_number
    from days
    left join holidays
        on days.calendar_code = holidays.calendar_code and days.calendar_date = holidays.holiday_date
    where
        holidays.holiday_date is null
        and position(cast({{ weekday_number('days.calendar_date') }} + 1 as varchar) in days.working_days) > 0

),

numbered as (

    select
        nows.entity_code,
        nows.time_zone,
        nows.opens_minute,
        nows.closes_minute,
        nows.minute_now,
        working_days.day_number,
        working_days.calendar_date = nows.today as is_today,
        working_days.calendar_date > nows.today or nows.minute_now < nows.closes_minute as is_ahead,
        working_days.calendar_date <= {{ month_end('nows.today') }} as is_this_month
    from nows
    inner join working_days
        on nows.entity_code = working_days.entity_code

),

starts as (

    -- The working day on which the promise begins to run, and the last one of the month.
    select
        numbered.entity_code,
        numbered.time_zone,
        numbered.opens_minute,
        numbered.closes_minute,
        min(case when numbered.is_ahead then numbered.day_number end) as first_day_number,
        max(
            case
                when numbered.is_today and numbered.is_ahead
                    then greatest(numbered.minute_now - numbered.opens_minute, 0)
                else 0
            end
        ) as worked_minutes,
        max(case when numbered.is_this_month then numbered.day_number else 0 end) as last_day_of_month_number
    from numbered
    group by numbered.entity_code, numbered.time_zone, numbered.opens_minute, numbered.closes_minute

),

promised as (

    select
        starts.entity_code,
        starts.time_zone,
        promises.sla_unit,
        promises.sla_amount,
        case promises.sla_unit
            when 'WORKING_HOUR'
                then
                    starts.first_day_number
                    + {{ integer_divide(
                        'cast(starts.worked_minutes + promises.sla_amount * 60 - 1 as bigint)',
                        'cast(starts.closes_minute - starts.opens_minute as bigint)'
                    ) }}
            when 'BUSINESS_DAY' then starts.first_day_number + promises.sla_amount
            -- Before the close: the fourth working day after the end of the month.
            else starts.last_day_of_month_number + 4
        end as day_number,
        case promises.sla_unit
            when 'WORKING_HOUR'
                then
                    starts.opens_minute + 1
                    + (starts.worked_minutes + promises.sla_amount * 60 - 1)
                    % (starts.closes_minute - starts.opens_minute)
            else starts.closes_minute
        end as due_minute
    from starts
    cross join promises

),

final as (

    select
        promised.entity_code,
        promised.sla_unit,
        promised.sla_amount,
        {{ utc_from_local(
            add_minutes('cast(working_days.calendar_date as timestamp)', 'promised.due_minute'), 'promised.time_zone'
        ) }} as due_at
    from promised
    inner join working_days
        on
            promised.entity_code = working_days.entity_code
            and promised.day_number = working_days.day_number

)

select * from final
