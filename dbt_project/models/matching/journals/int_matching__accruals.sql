-- Grain: ERP posting event on an account that holds accruals (fees not yet settled, sales not yet billed), with what takes it back.
-- An accrual lives from its month's end to the next month: the posting that takes it back has the same amount, turned, on the same
-- account. The n-th accrual of an amount goes with the n-th reversal of it. net_amount = debit - credit.
with

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}
    where has_books

),

accounts as (

    select * from {{ ref('stg_tieout__accounts') }}
    where account_role in ('ACCRUED_MARKETPLACE_FEES', 'UNBILLED_SETTLEMENT')

),

postings as (

    -- A settlement that holds a sale on the account, and what releases it, are no accruals of a month's end.
    select postings.*
    from {{ ref('int_ledger__erp_postings') }} as postings
    left join {{ ref('int_accounting__journals') }} as journals
        on
            postings.erp_code = journals.erp_code
            and postings.reference = journals.wire_key
            and (
                journals.kind in ('SETTLEMENT', 'CORRECTION')
                or (journals.kind = 'UNBILLED_REVERSAL' and journals.document_id not like '____-__')
            )
    where journals.journal_key is null

),

holders as (

    -- An account shared by several marketplaces is listed with the first of them.
    select
        ranked.marketplace_code,
        ranked.entity_code,
        ranked.erp_code,
        ranked.currency_code,
        ranked.time_zone,
        ranked.go_live_date,
        ranked.account_role,
        ranked.account_code,
        ranked.cost_centre,
        ranked.department
    from (
        select
            marketplaces.marketplace_code,
            marketplaces.entity_code,
            marketplaces.erp_code,
            marketplaces.currency_code,
            marketplaces.time_zone,
            marketplaces.go_live_date,
            accounts.account_role,
            accounts.account_code,
            accounts.cost_centre,
            accounts.department,
            row_number() over (
                partition by marketplaces.erp_code, accounts.account_code, accounts.cost_centre, accounts.department
                order by
                    case when accounts.marketplace_code = '*' then 1 else 0 end asc,
                    marketplaces.marketplace_code asc,
                    accounts.effective_from desc
            ) as choice_number
        from marketplaces
        inner join accounts
            on
                marketplaces.entity_code = accounts.entity_code
                and (marketplaces.marketplace_code = accounts.marketplace_code or accounts.marketplace_code = '*')
                and (marketplaces.currency_code = accounts.currency_code or accounts.currency_code = '*')
    ) as ranked
    where ranked.choice_number = 1

),

events as (

    select
        holders.marketplace_code,
        holders.entity_code,
        holders.erp_code,
        holders.currency_code,
        holders.time_zone,
        holders.go_live_date,
        holders.account_role,
        holders.account_code,
        holders.cost_centre,
        holders.department,
        postings.urn,
        min(postings.transaction_date) as transaction_date,
        min(postings.period) as period,
        max(postings.reference) as reference,
        cast(sum(postings.net_amount) as decimal(18, 2)) as net_amount
    from holders
    inner join postings
        on
            holders.erp_code = postings.erp_code
            and holders.account_code = postings.account_code
            and holders.cost_centre = postings.cost_centre
            and holders.department = postings.department
    group by
        holders.marketplace_code,
        holders.entity_code,
        holders.erp_code,
        holders.currency_code,
        holders.time_zone,
        holders.go_live_date,
        holders.account_role,
        holders.account_code,
        holders.cost_centre,
        holders.department,
        postings.urn

),

numbered as (

    -- Fees accrued are owed, sales accrued are due to us: their normal sides differ.
    select
        events.*,
        case
            when events.account_role = 'ACCRUED_MARKETPLACE_FEES' then events.net_amount < 0
            else events.net_amount > 0
        end as is_accrual,
        row_number() over (
            partition by
                events.erp_code, events.account_code, events.cost_centre, events.department, events.net_amount
            order by events.transaction_date, events.urn
        ) as turn_number
    from events
    where events.net_amount <> 0

),

dated as (

    select
        numbered.*,
        {{ period_of(add_days("cast(numbered.period || '-01' as date)", '32')) }} as next_period
    from numbered

),

judged as (

    select
        dated.*,
        cast(dated.next_period || '-01' as date) as next_month_date
    from dated

),

final as (

    select
        ours.marketplace_code,
        ours.entity_code,
        ours.erp_code,
        ours.currency_code,
        ours.account_role,
        ours.urn,
        ours.transaction_date,
        ours.period,
        ours.reference,
        ours.net_amount,
        ours.is_accrual,
        ours.transaction_date < ours.go_live_date as is_excluded,
        ours.next_period,
        theirs.urn as counter_urn,
        theirs.period as counter_period,
        -- The first working day of the next month is for it; the day after it is too late.
        {{ utc_from_local(
            'cast(' ~ add_days(add_business_days('ours.next_month_date', '1'), '1') ~ ' as timestamp)',
            'ours.time_zone'
        ) }} as due_at
    from judged as ours
    left join judged as theirs
        on
            ours.erp_code = theirs.erp_code
            and ours.account_code = theirs.account_code
            and ours.cost_centre = theirs.cost_centre
            and ours.department = theirs.department
            and ours.net_amount = -theirs.net_amount
            and ours.turn_number = theirs.turn_number

)

select * from final
