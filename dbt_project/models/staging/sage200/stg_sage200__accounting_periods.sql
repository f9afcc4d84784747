-- One row per accounting period.
{{ config(materialized='table') }}

with source as (
    {{ newest_snapshot(
        source('raw', 'sage200_accounting_periods'), 'sage200', 'accounting_periods', ['accounting_period_id']
    ) }}
),

final as (
    select
        source._account as erp_code,
        nullif(trim(source.accounting_period_id), '') as accounting_period_id,
        nullif(trim(source.financial_year_id), '') as financial_year_id,
        try_cast(nullif(trim(source.period_number), '') as bigint) as period_number,
        {{ calendar_date('source.period_start_date') }} as period_start_date,
        {{ calendar_date('source.period_end_date') }} as period_end_date,
        source._file,
        source._position,
        source._fetched_at as fetched_at
    from source
)

select * from final
