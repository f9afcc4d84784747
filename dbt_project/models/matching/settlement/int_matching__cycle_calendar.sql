-- Grain: marketplace × day. The first cycle that can settle what became payable on that day: the next cut of the calendar. A past
-- cut that produced no cycle is skipped: its lines stay payable and are swept into the next one, which is not a delay.
with

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}

),

entities as (

    select * from {{ ref('stg_tieout__entities') }}

),

cycles as (

    select distinct
        cycles.marketplace_code,
        cycles.cycle_date
    from {{ ref('int_ledger__cycles') }} as cycles

),

digits as (

    {% for digit in range(10) -%}
    select {{ digit }} as digit
    {% if not loop.last -%}
    union all
    {% endif -%}
    {%- endfor %}

),

days as (

    -- A thousand days: 900 back, which covers every order that can still be unsettled, and the next three months.
    select
        marketplaces.marketplace_code,
        marketplaces.cycle_days,
        {{ today_in('entities.time_zone') }} as today,
        {{ add_days(
            today_in('entities.time_zone'),
            'ones.digit + 10 * tens.digit + 100 * hundreds.digit - 900'
        ) }} as calendar_date
    from marketplaces
    inner join entities
        on marketplaces.entity_code = entities.entity_code
    cross join digits as ones
    cross join digits as tens
    cross join digits as hundreds

),

cuts as (

    select
        days.marketplace_code,
        days.calendar_date,
        days.calendar_date as cut_date
    from days
    left join cycles
        on
            days.marketplace_code = cycles.marketplace_code
            and days.calendar_date = cycles.cycle_date
    where
        position(
            '|' || cast(cast(substr(cast(days.calendar_date as varchar), 9, 2) as integer) as varchar) || '|'
            in '|' || days.cycle_days || '|'
        ) > 0
        and (days.calendar_date > days.today or cycles.cycle_date is not null)

),

final as (

    select
        days.marketplace_code,
        days.calendar_date,
        min(cuts.cut_date) over (
            partition by days.marketplace_code
            order by days.calendar_date
            rows between 1 following and unbounded following
        ) as next_cut_date
    from days
    left join cuts
        on
            days.marketplace_code = cuts.marketplace_code
            and days.calendar_date = cuts.calendar_date

)

select * from final
