-- Grain: journal × ERP account, of journals whose accounts the ERP does not hold as they should be: what the journal is to move, what
-- the ERP holds under its key already, and the account's own balance now. Of a journal that is on its way or proposed it is what
-- posting it will change; of one that was changed, copied or reversed, what is wrong. Debit positive, in the books' own currency.
with

states as (

    select * from {{ ref('int_matching__journal_states') }}
    where not is_excluded and not is_blocked

),

differing as (

    select
        states.marketplace_code,
        states.entity_code,
        states.erp_code,
        states.journal_key,
        states.wire_key,
        states.kind,
        states.period,
        states.match_status,
        postings.account_code,
        postings.cost_centre,
        postings.department,
        postings.expected_amount,
        postings.actual_amount
    from states
    inner join {{ ref('int_matching__journal_postings') }} as postings
        on states.journal_key = postings.journal_key
    where postings.expected_amount <> postings.actual_amount

),

balances as (

    select
        postings.erp_code,
        postings.account_code,
        postings.cost_centre,
        postings.department,
        cast(sum(postings.net_amount) as decimal(18, 2)) as balance_amount
    from {{ ref('int_ledger__erp_postings') }} as postings
    group by postings.erp_code, postings.account_code, postings.cost_centre, postings.department

),

roles as (

    select
        lines.journal_key,
        coalesce(lines.account_code, '') as account_code,
        lines.cost_centre,
        lines.department,
        {{ ordered_list('lines.account_role', "', '", 'lines.account_role') }} as account_roles
    from (
        select distinct
            journal_lines.journal_key,
            journal_lines.account_code,
            journal_lines.cost_centre,
            journal_lines.department,
            journal_lines.account_role
        from {{ ref('int_accounting__journal_lines') }} as journal_lines
    ) as lines
    group by lines.journal_key, coalesce(lines.account_code, ''), lines.cost_centre, lines.department

),

final as (

    select
        differing.marketplace_code,
        differing.entity_code,
        differing.erp_code,
        differing.journal_key,
        differing.wire_key,
        differing.kind,
        differing.period,
        differing.match_status,
        differing.account_code,
        differing.cost_centre,
        differing.department,
        roles.account_roles,
        differing.expected_amount,
        differing.actual_amount,
        cast(differing.expected_amount - differing.actual_amount as decimal(18, 2)) as difference_amount,
        cast(coalesce(balances.balance_amount, 0) as decimal(18, 2)) as balance_amount,
        marketplaces.functional_currency as currency_code
    from differing
    inner join {{ ref('int_ledger__marketplaces') }} as marketplaces
        on differing.marketplace_code = marketplaces.marketplace_code
    left join roles
        on
            differing.journal_key = roles.journal_key
            and differing.account_code = roles.account_code
            and differing.cost_centre = roles.cost_centre
            and differing.department = roles.department
    left join balances
        on
            differing.erp_code = balances.erp_code
            and differing.account_code = balances.account_code
            and differing.cost_centre = balances.cost_centre
            and differing.department = balances.department

)

select * from final
