-- One row per ERP company and posted nominal leg. net_amount = debit - credit. part_code is the second reference of the
-- document that caused the leg, found by its URN; period is the accounting period's first month, not the date's.

with legs as (
    select * from {{ ref('stg_sage200__nominal_transactions') }}
),

nominal_codes as (
    select * from {{ ref('stg_sage200__nominal_codes') }}
),

periods as (
    select * from {{ ref('stg_sage200__accounting_periods') }}
),

erps as (
    select * from {{ ref('stg_tieout__erps') }}
),

documents as (
    select
        erp_code,
        urn,
        min(second_reference) as second_reference
    from (
        select
            erp_code,
            urn,
            second_reference
        from {{ ref('stg_sage200__sales_posted_transactions') }}
        union all
        select
            erp_code,
            urn,
            second_reference
        from {{ ref('stg_sage200__bank_posted_transactions') }}
    ) as posted
    group by erp_code, urn
),

final as (
    select
        legs.erp_code,
        erps.entity_code,
        legs.nominal_transaction_id as posting_id,
        legs.urn,
        legs.transaction_date,
        coalesce({{ period_of('periods.period_start_date') }}, {{ period_of('legs.transaction_date') }}) as period,
        nominal_codes.account_code,
        coalesce(nominal_codes.cost_centre, '') as cost_centre,
        coalesce(nominal_codes.department, '') as department,
        legs.reference,
        documents.second_reference as part_code,
        legs.narrative,
        {{ money('coalesce(legs.debit, 0)') }} as debit,
        {{ money('coalesce(legs.credit, 0)') }} as credit,
        {{ money('coalesce(legs.debit, 0) - coalesce(legs.credit, 0)') }} as net_amount,
        legs.source_ledger,
        legs.user_name
    from legs
    inner join erps
        on legs.erp_code = erps.erp_code
    left join nominal_codes
        on
            legs.erp_code = nominal_codes.erp_code
            and legs.nominal_code_id = nominal_codes.nominal_code_id
    left join periods
        on
            legs.erp_code = periods.erp_code
            and legs.accounting_period_id = periods.accounting_period_id
    left join documents
        on
            legs.erp_code = documents.erp_code
            and legs.urn = documents.urn
)

select * from final
