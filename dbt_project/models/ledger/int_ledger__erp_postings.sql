-- One row per ERP company and posted nominal leg. net_amount = debit - credit, in the company's currency. reference: the wire
-- key of a journal that Tieout posted, the key of a receipt that is read from the cash book (its journal is this very posting), else
-- the document's own; part_code tells the documents apart that one journal takes.
-- urn: one posting event; period is the accounting period's first month, not the date's.

with
{% if uses('sage200') -%}
documents as (
    -- A leg does not say which part of a journal its document is; the document has the same URN.
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

sage200 as (
    select
        legs.erp_code,
        legs.nominal_transaction_id as posting_id,
        legs.urn,
        legs.transaction_date,
        periods.period_start_date,
        nominal_codes.account_code,
        nominal_codes.cost_centre,
        nominal_codes.department,
        legs.reference,
        documents.second_reference as part_code,
        legs.narrative,
        legs.debit,
        legs.credit
    from {{ ref('stg_sage200__nominal_transactions') }} as legs
    left join {{ ref('stg_sage200__nominal_codes') }} as nominal_codes
        on
            legs.erp_code = nominal_codes.erp_code
            and legs.nominal_code_id = nominal_codes.nominal_code_id
    left join {{ ref('stg_sage200__accounting_periods') }} as periods
        on
            legs.erp_code = periods.erp_code
            and legs.accounting_period_id = periods.accounting_period_id
    left join documents
        on
            legs.erp_code = documents.erp_code
            and legs.urn = documents.urn
),

{% endif -%}
{% if uses('netsuite') -%}
netsuite as (
    select
        legs.erp_code,
        legs.transaction_id || '-' || legs.line_id as posting_id,
        legs.transaction_id as urn,
        legs.transaction_date,
        periods.period_start_date,
        accounts.account_code,
        classes.class_name as cost_centre,
        departments.department_name as department,
        legs.reference,
        cast(null as varchar) as part_code,
        legs.memo as narrative,
        legs.debit,
        legs.credit
    from {{ ref('stg_netsuite__gl_lines') }} as legs
    left join {{ ref('stg_netsuite__accounts') }} as accounts
        on
            legs.erp_code = accounts.erp_code
            and legs.account_id = accounts.account_id
    left join {{ ref('stg_netsuite__periods') }} as periods
        on
            legs.erp_code = periods.erp_code
            and legs.period_id = periods.period_id
    left join {{ ref('stg_netsuite__classes') }} as classes
        on
            legs.erp_code = classes.erp_code
            and legs.class_id = classes.class_id
    left join {{ ref('stg_netsuite__departments') }} as departments
        on
            legs.erp_code = departments.erp_code
            and legs.department_id = departments.department_id
    where legs.is_counted
),

{% endif -%}
unioned as (
    {{ union_of_vendors(['sage200', 'netsuite']) }}
),

erps as (
    select * from {{ ref('stg_tieout__erps') }}
),

cash_book_receipts as (
    select distinct
        erp_code,
        erp_urn,
        journal_reference
    from {{ ref('int_ledger__receipts') }}
    where receipt_source = 'ERP' and amount > 0
),

final as (
    select
        unioned.erp_code,
        erps.entity_code,
        unioned.posting_id,
        unioned.urn,
        unioned.transaction_date,
        coalesce({{ period_of('unioned.period_start_date') }}, {{ period_of('unioned.transaction_date') }}) as period,
        unioned.account_code,
        coalesce(unioned.cost_centre, '') as cost_centre,
        coalesce(unioned.department, '') as department,
        coalesce(cash_book_receipts.journal_reference, unioned.reference) as reference,
        unioned.part_code,
        unioned.narrative,
        {{ money('coalesce(unioned.debit, 0)') }} as debit,
        {{ money('coalesce(unioned.credit, 0)') }} as credit,
        {{ money('coalesce(unioned.debit, 0) - coalesce(unioned.credit, 0)') }} as net_amount
    from unioned
    inner join erps
        on unioned.erp_code = erps.erp_code
    left join cash_book_receipts
        on
            unioned.erp_code = cash_book_receipts.erp_code
            and unioned.urn = cash_book_receipts.erp_urn
)

select * from final
