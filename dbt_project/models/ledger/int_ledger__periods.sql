-- One row per ERP company and month of its books. is_shut: nothing can be posted into it any more. Only where the ERP tells:
-- Sage 200 shows which periods there are, not which of them are open.
{{ config(enabled=uses('netsuite')) }}

with erps as (
    select * from {{ ref('stg_tieout__erps') }}
),

-- An adjustment period lies over a month and is none itself; fiscal calendars share the months.
final as (
    select
        periods.erp_code,
        erps.entity_code,
        {{ period_of('periods.period_start_date') }} as period,
        min(case when periods.is_closed or periods.is_all_locked then 1 else 0 end) = 1 as is_shut
    from {{ ref('stg_netsuite__periods') }} as periods
    inner join erps
        on periods.erp_code = erps.erp_code
    where not periods.is_adjustment and not periods.is_inactive
    group by periods.erp_code, erps.entity_code, {{ period_of('periods.period_start_date') }}
)

select * from final
