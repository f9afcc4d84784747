-- Grain: account role × currency × period × journal or posting that moves a clearing, reserve or pass-through account of a
-- marketplace. Expected beside actual net debit, so that every penny of a difference has an id. Functional amounts are in the currency of
-- the books; a ledger holds no others, so of a foreign marketplace the actual amount in its own currency is the expected one in proportion,
-- and where nothing is expected it is translated at the newest rate.
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

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}

),

newest_rates as (

    select
        ranked.entity_code,
        ranked.currency_code,
        ranked.exchange_rate
    from (
        select
            daily_rates.entity_code,
            daily_rates.currency_code,
            daily_rates.exchange_rate,
            row_number() over (
                partition by daily_rates.entity_code, daily_rates.currency_code order by daily_rates.rate_day desc
            ) as newest_number
        from {{ ref('int_ledger__daily_rates') }} as daily_rates
        where daily_rates.exchange_rate is not null
    ) as ranked
    where ranked.newest_number = 1

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
        cast(sum(lines.debit - lines.credit) as decimal(18, 2)) as expected_amount,
        cast(
            sum(coalesce(lines.functional_debit, lines.debit) - coalesce(lines.functional_credit, lines.credit))
            as decimal(18, 2)
        ) as functional_expected_amount
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
        cast(sum(opening_balances.amount) as decimal(18, 2)) as expected_amount,
        cast(sum(
            case
                when marketplaces.currency_code = marketplaces.functional_currency then opening_balances.amount
                else {{ functional_money(
                    'opening_balances.amount', 'daily_rates.exchange_rate', 'marketplaces.functional_currency'
                ) }}
            end
        ) as decimal(18, 2)) as functional_expected_amount
    from controlled
    inner join opening_balances
        on
            controlled.marketplace_code = opening_balances.marketplace_code
            and controlled.account_role = opening_balances.account_role
            and controlled.currency_code = opening_balances.currency_code
    inner join marketplaces
        on controlled.marketplace_code = marketplaces.marketplace_code
    left join {{ ref('int_ledger__daily_rates') }} as daily_rates
        on
            marketplaces.entity_code = daily_rates.entity_code
            and marketplaces.currency_code = daily_rates.currency_code
            and marketplaces.go_live_date = daily_rates.rate_day
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
        expected.functional_expected_amount,
        cast(0 as decimal(18, 2)) as functional_actual_amount
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
        opened.functional_expected_amount,
        cast(0 as decimal(18, 2)) as functional_actual_amount
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
        cast(0 as decimal(18, 2)) as functional_expected_amount,
        booked.actual_amount as functional_actual_amount
    from booked

),

summed as (

    select
        unioned.marketplace_code,
        unioned.account_role,
        unioned.currency_code,
        unioned.period,
        unioned.source_id,
        unioned.movement_kind,
        unioned.match_status,
        cast(sum(unioned.expected_amount) as decimal(18, 2)) as expected_amount,
        cast(sum(unioned.functional_expected_amount) as decimal(18, 2)) as functional_expected_amount,
        cast(sum(unioned.functional_actual_amount) as decimal(18, 2)) as functional_actual_amount
    from unioned
    group by
        unioned.marketplace_code,
        unioned.account_role,
        unioned.currency_code,
        unioned.period,
        unioned.source_id,
        unioned.movement_kind,
        unioned.match_status

),

final as (

    select
        summed.marketplace_code,
        summed.account_role,
        summed.currency_code,
        summed.period,
        summed.source_id,
        summed.movement_kind,
        summed.match_status,
        summed.expected_amount,
        cast(case
            when marketplaces.currency_code = marketplaces.functional_currency then summed.functional_actual_amount
            when summed.functional_actual_amount = summed.functional_expected_amount then summed.expected_amount
            when summed.functional_expected_amount <> 0
                then {{ carried_part(
                    'summed.expected_amount', 'summed.functional_actual_amount', 'summed.functional_expected_amount'
                ) }}
            when newest_rates.exchange_rate is not null
                then {{ functional_money(
                    'summed.functional_actual_amount', inverse_rate('newest_rates.exchange_rate'),
                    'summed.currency_code'
                ) }}
            else summed.functional_actual_amount
        end as decimal(18, 2)) as actual_amount,
        marketplaces.functional_currency as functional_currency_code,
        summed.functional_expected_amount,
        summed.functional_actual_amount
    from summed
    inner join marketplaces
        on summed.marketplace_code = marketplaces.marketplace_code
    left join newest_rates
        on
            marketplaces.entity_code = newest_rates.entity_code
            and marketplaces.currency_code = newest_rates.currency_code

)

select * from final
