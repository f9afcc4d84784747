-- Grain: journal × ERP account. What the canonical journal moves on an account beside what the ERP's postings under its wire key move,
-- as net debit. A side without the account counts as nil.
with

journals as (

    select * from {{ ref('int_accounting__journals') }}

),

lines as (

    select * from {{ ref('int_accounting__journal_lines') }}

),

postings as (

    select * from {{ ref('int_ledger__erp_postings') }}

),

expected as (

    select
        lines.journal_key,
        coalesce(lines.account_code, '') as account_code,
        lines.cost_centre,
        lines.department,
        -- A ledger keeps its company's currency.
        sum(coalesce(lines.functional_debit, lines.debit) - coalesce(lines.functional_credit, lines.credit))
            as net_amount
    from lines
    group by lines.journal_key, coalesce(lines.account_code, ''), lines.cost_centre, lines.department

),

actual as (

    select
        journals.journal_key,
        coalesce(postings.account_code, '') as account_code,
        postings.cost_centre,
        postings.department,
        sum(postings.net_amount) as net_amount,
        sum(abs(postings.net_amount)) as turnover_amount
    from journals
    inner join postings
        on
            journals.erp_code = postings.erp_code
            and journals.wire_key = postings.reference
    group by journals.journal_key, coalesce(postings.account_code, ''), postings.cost_centre, postings.department

),

final as (

    select
        coalesce(expected.journal_key, actual.journal_key) as journal_key,
        coalesce(expected.account_code, actual.account_code) as account_code,
        coalesce(expected.cost_centre, actual.cost_centre) as cost_centre,
        coalesce(expected.department, actual.department) as department,
        cast(coalesce(expected.net_amount, 0) as decimal(18, 2)) as expected_amount,
        cast(coalesce(actual.net_amount, 0) as decimal(18, 2)) as actual_amount,
        cast(coalesce(actual.turnover_amount, 0) as decimal(18, 2)) as turnover_amount
    from expected
    full outer join actual
        on
            expected.journal_key = actual.journal_key
            and expected.account_code = actual.account_code
            and expected.cost_centre = actual.cost_centre
            and expected.department = actual.department

)

select * from final
