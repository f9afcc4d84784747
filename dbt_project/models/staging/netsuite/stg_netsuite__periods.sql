-- One row per month of the books; years and quarters are not read. An adjustment period lies over a month and is none
-- itself.

with source as (
    {{ newest_snapshot(source('raw', 'netsuite_periods'), 'netsuite', 'periods', ['id']) }}
),

final as (
    select
        source._account as erp_code,
        nullif(trim(source.id), '') as period_id,
        nullif(trim(source.periodname), '') as period_name,
        {{ calendar_date('source.startdate') }} as period_start_date,
        {{ calendar_date('source.enddate') }} as period_end_date,
        coalesce(source.isadjust, false) as is_adjustment,
        coalesce(source.closed, false) as is_closed,
        coalesce(source.alllocked, false) as is_all_locked,
        coalesce(source.arlocked, false) as is_receivables_locked,
        coalesce(source.aplocked, false) as is_payables_locked,
        coalesce(source.isinactive, false) as is_inactive,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final
