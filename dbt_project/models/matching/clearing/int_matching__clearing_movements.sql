-- Grain: account role × currency × period × journal or posting that moves a clearing, reserve or pass-through account of a
-- marketplace. Expected beside actual net debit, so that every penny of a difference has an id.
with

journals as (

    select * from {{ ref('int_matching__journal_states') }}

),

lines as (

    select * from {{ ref('int_accounting__journal_lines') }}

),

postings as (

    select * from {{ ref('int_ledger__erp_postings') }}

),

controlled as (

    select * from {{ ref('int_matching__controlled_accounts') }}

),

opening_balances as (

    select * from {{ ref('stg_tieout__opening_balances') }}

),

expected as (

    select
        journals.marketplace_code,
        lines.account_role,
        journals.currency_code,
        journals.books_period as period,
        journals.journal_key as source_id,
        journals.kind as movement_kind,
        journals.match_status,
        cast(sum(lines.debit - lines.credit) as decimal(18, 2)) as expected_amount
    from journals
    inner join lines
        on journals.journal_key = lines.journal_key
    where
        -- A blocked journal is not expected in the ledger yet; the cycle is listed with what blocks it.
        not journals.is_blocked
        and lines.account_role in ('MARKETPLACE_CLEARING', 'MARKETPLACE_RESERVE', 'MARKETPLACE_TAX_PASSTHROUGH')
    group by
        journals.marketplace_code,
        lines.account_role,
        journals.currency_code,
        journals.books_period,
        journals.journal_key,
        journals.kind,
        journals.match_status

),

booked as (

    select
        controlled.marketplace_code,
        controlled.account_role,
        controlled.currency_code,
        case
            when postings.transaction_date < controlled.go_live_date then controlled.go_live_period
            else postings.period
        end as period,
        case
            when postings.transaction_date < controlled.go_live_date then 'OPENING'
            when journals.journal_key is not null then journals.journal_key
            else postings.urn
        end as source_id,
        case
            when postings.transaction_date < controlled.go_live_date then 'OPENING'
            when journals.journal_key is not null then journals.kind
            else 'UNEXPECTED'
        end as movement_kind,
        case
            when postings.transaction_date < controlled.go_live_date then 'OPENING'
            when journals.journal_key is not null then journals.match_status
            else 'EXCEPTION'
        end as match_status,
        cast(sum(postings.net_amount) as decimal(18, 2)) as actual_amount
    from controlled
    inner join postings
        on
            controlled.erp_code = postings.erp_code
            and controlled.account_code = postings.account_code
            and controlled.cost_centre = postings.cost_centre
            and controlled.department = postings.department
    left join journals
        on
            postings.erp_code = journals.erp_code
            and postings.reference = journals.wire_key
    group by
        controlled.marketplace_code,
        controlled.account_role,
        controlled.currency_code,
        case
            when postings.transaction_date < controlled.go_live_date then controlled.go_live_period
            else postings.period
        end,
        case
            when postings.transaction_date < controlled.go_live_date then 'OPENING'
            when journals.journal_key is not null then journals.journal_key
            else postings.urn
        end,
        case
            when postings.transaction_date < controlled.go_live_date then 'OPENING'
            when journals.journal_key is not null then journals.kind
            else 'UNEXPECTED'
        end,
        case
            when postings.transaction_date < controlled.go_live_date then 'OPENING'
            when journals.journal_key is not null then journals.match_status
            else 'EXCEPTION'
        end

),

opened as (

    select
        controlled.marketplace_code,
        controlled.account_role,
        controlled.currency_code,
        controlled.go_live_period as period,
        cast(sum(opening_balances.amount) as decimal(18, 2)) as expected_amount
    from controlled
    inner join opening_balances
        on
            controlled.marketplace_code = opening_balances.marketplace_code
            and controlled.account_role = opening_balances.account_role
            and controlled.currency_code = opening_balances.currency_code
    group by
        controlled.marketplace_code, controlled.account_role, controlled.currency_code, controlled.go_live_period

),

unioned as (

    select
        expected.marketplace_code,
        expected.account_role,
        expected.currency_code,
        expected.period,
        expected.source_id,
        expected.movement_kind,
        expected.match_status,
        expected.expected_amount,
        cast(0 as decimal(18, 2)) as actual_amount
    from expected
    union all
    select
        opened.marketplace_code,
        opened.account_role,
        opened.currency_code,
        opened.period,
        'OPENING' as source_id,
        'OPENING' as movement_kind,
        'OPENING' as match_status,
        opened.expected_amount,
        cast(0 as decimal(18, 2)) as actual_amount
    from opened
    union all
    select
        booked.marketplace_code,
        booked.account_role,
        booked.currency_code,
        booked.period,
        booked.source_id,
        booked.movement_kind,
        booked.match_status,
        cast(0 as decimal(18, 2)) as expected_amount,
        booked.actual_amount
    from booked

),

final as (

    select
        unioned.marketplace_code,
        unioned.account_role,
        unioned.currency_code,
        unioned.period,
        unioned.source_id,
        unioned.movement_kind,
        unioned.match_status,
        cast(sum(unioned.expected_amount) as decimal(18, 2)) as expected_amount,
        cast(sum(unioned.actual_amount) as decimal(18, 2)) as actual_amount
    from unioned
    group by
        unioned.marketplace_code,
        unioned.account_role,
        unioned.currency_code,
        unioned.period,
        unioned.source_id,
        unioned.movement_kind,
        unioned.match_status

)

select * from final
