-- Grain: account role × marketplace × currency × period. opening + settlements - receipts ± corrections = closing, beside the closing
-- balance per ERP. The difference is split into what is only on its way, what a finding explains, and the rest, which must be nil.
-- Ledger view: debit positive. Months after the go-live month, up to the month of the run. The same closing balances once more in the
-- currency of the books, where exchange differences and revaluations count as well.
with

movements as (

    select * from {{ ref('int_matching__clearing_movements') }}

),

controlled as (

    select * from {{ ref('int_matching__controlled_accounts') }}

),

calendar as (

    select
        days.marketplace_code,
        {{ period_of('days.calendar_date') }} as period
    from {{ ref('int_matching__cycle_calendar') }} as days
    inner join {{ ref('int_ledger__marketplaces') }} as marketplaces
        on days.marketplace_code = marketplaces.marketplace_code
    where
        days.calendar_date >= marketplaces.go_live_date
        and days.calendar_date <= marketplaces.as_of_date
    group by days.marketplace_code, {{ period_of('days.calendar_date') }}

),

spine as (

    select
        controlled.marketplace_code,
        controlled.entity_code,
        controlled.account_role,
        controlled.currency_code,
        min(controlled.account_code) as account_code,
        calendar.period
    from controlled
    inner join calendar
        on controlled.marketplace_code = calendar.marketplace_code
    group by
        controlled.marketplace_code,
        controlled.entity_code,
        controlled.account_role,
        controlled.currency_code,
        calendar.period

),

monthly as (

    select
        spine.marketplace_code,
        spine.entity_code,
        spine.account_role,
        spine.currency_code,
        spine.account_code,
        spine.period,
        sum(case when movements.movement_kind = 'OPENING' then movements.expected_amount else 0 end) as go_live_amount,
        sum(case when movements.movement_kind = 'SETTLEMENT' then movements.expected_amount else 0 end)
            as settlement_amount,
        sum(case when movements.movement_kind = 'PAYOUT_RECEIPT' then movements.expected_amount else 0 end)
            as receipt_amount,
        sum(
            case
                when movements.movement_kind not in ('OPENING', 'SETTLEMENT', 'PAYOUT_RECEIPT')
                    then movements.expected_amount
                else 0
            end
        ) as correction_amount,
        sum(coalesce(movements.actual_amount, 0)) as erp_amount,
        sum(coalesce(movements.functional_expected_amount, 0)) as functional_amount,
        sum(coalesce(movements.functional_actual_amount, 0)) as erp_functional_amount,
        sum(
            case
                when movements.match_status = 'TIMING' then movements.actual_amount - movements.expected_amount
                else 0
            end
        ) as timing_amount,
        sum(
            case
                when movements.match_status = 'EXCEPTION' then movements.actual_amount - movements.expected_amount
                else 0
            end
        ) as finding_amount
    from spine
    left join movements
        on
            spine.marketplace_code = movements.marketplace_code
            and spine.account_role = movements.account_role
            and spine.currency_code = movements.currency_code
            and spine.period = movements.period
    group by
        spine.marketplace_code,
        spine.entity_code,
        spine.account_role,
        spine.currency_code,
        spine.account_code,
        spine.period

),

running as (

    select
        monthly.*,
        sum(
            monthly.go_live_amount + monthly.settlement_amount + monthly.receipt_amount + monthly.correction_amount
        ) over until_now as closing_amount,
        sum(monthly.erp_amount) over until_now as erp_closing_amount,
        sum(monthly.functional_amount) over until_now as functional_closing_amount,
        sum(monthly.erp_functional_amount) over until_now as erp_functional_closing_amount,
        sum(monthly.timing_amount) over until_now as timing_total_amount,
        sum(monthly.finding_amount) over until_now as finding_total_amount
    from monthly
    window until_now as (
        partition by monthly.marketplace_code, monthly.account_role, monthly.currency_code
        order by monthly.period
        rows between unbounded preceding and current row
    )

),

final as (

    select
        running.marketplace_code,
        running.entity_code,
        running.account_role,
        running.account_code,
        running.currency_code,
        running.period,
        cast(
            running.closing_amount - running.settlement_amount - running.receipt_amount - running.correction_amount
            as decimal(18, 2)
        ) as opening_amount,
        cast(running.settlement_amount as decimal(18, 2)) as settlement_amount,
        cast(running.receipt_amount as decimal(18, 2)) as receipt_amount,
        cast(running.correction_amount as decimal(18, 2)) as correction_amount,
        cast(running.closing_amount as decimal(18, 2)) as closing_amount,
        cast(running.erp_closing_amount as decimal(18, 2)) as erp_closing_amount,
        cast(running.erp_closing_amount - running.closing_amount as decimal(18, 2)) as difference_amount,
        cast(running.timing_total_amount as decimal(18, 2)) as timing_amount,
        cast(running.finding_total_amount as decimal(18, 2)) as finding_amount,
        cast(
            running.erp_closing_amount - running.closing_amount - running.timing_total_amount
            - running.finding_total_amount as decimal(18, 2)
        ) as unexplained_amount,
        marketplaces.functional_currency as functional_currency_code,
        cast(running.functional_closing_amount as decimal(18, 2)) as functional_closing_amount,
        cast(running.erp_functional_closing_amount as decimal(18, 2)) as erp_functional_closing_amount,
        cast(
            running.erp_functional_closing_amount - running.functional_closing_amount as decimal(18, 2)
        ) as functional_difference_amount
    from running
    inner join {{ ref('int_ledger__marketplaces') }} as marketplaces
        on running.marketplace_code = marketplaces.marketplace_code

)

select * from final
