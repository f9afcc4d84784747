-- Grain: ERP posting event (URN) under a journal's wire key, with its net movement on the journal's clearing account. Two events of one
-- part with the same sign are a duplicate; with opposite signs the second one reverses the first.
with

journals as (

    select * from {{ ref('int_accounting__journals') }}

),

clearing_accounts as (

    select distinct
        lines.journal_key,
        lines.account_code,
        lines.cost_centre,
        lines.department
    from {{ ref('int_accounting__journal_lines') }} as lines
    -- An operator's journals turn on what sellers are owed.
    where lines.account_role in ('MARKETPLACE_CLEARING', 'SELLER_PAYABLE')

),

postings as (

    select * from {{ ref('int_ledger__erp_postings') }}

),

final as (

    select
        journals.journal_key,
        postings.erp_code,
        postings.urn,
        max(coalesce(postings.part_code, '')) as part_code,
        min(postings.transaction_date) as transaction_date,
        min(postings.period) as period,
        cast(sum(
            case when clearing_accounts.journal_key is not null then postings.net_amount else 0 end
        ) as decimal(18, 2)) as clearing_amount,
        cast(sum(postings.debit) as decimal(18, 2)) as debit_amount
    from journals
    inner join postings
        on
            journals.erp_code = postings.erp_code
            and journals.wire_key = postings.reference
    left join clearing_accounts
        on
            journals.journal_key = clearing_accounts.journal_key
            and postings.account_code = clearing_accounts.account_code
            and postings.cost_centre = clearing_accounts.cost_centre
            and postings.department = clearing_accounts.department
    group by journals.journal_key, postings.erp_code, postings.urn

)

select * from final
