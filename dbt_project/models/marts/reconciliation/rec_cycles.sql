-- Grain: billing cycle × rule of level c (PAY-002: transaction line × rule). Pay-outs beside the opening balance and the lines.
with

cycles as (

    select * from {{ ref('int_matching__cycles') }}

),

ledger_cycles as (

    select * from {{ ref('int_ledger__cycles') }}

),

lines as (

    select * from {{ ref('int_matching__transaction_lines') }}

),

tolerances as (

    select * from {{ ref('int_matching__tolerances') }}

),

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}

),

carried as (

    -- Earlier cycles that had money to pay and whose balance a later cycle paid.
    select
        cycles.marketplace_code,
        cycles.paying_cycle_id,
        count(*) as cycle_count
    from cycles
    where
        cycles.paying_cycle_id <> cycles.billing_cycle_id
        and cycles.closing_amount > 0
    group by cycles.marketplace_code, cycles.paying_cycle_id

),

identity as (

    select
        cycles.marketplace_code,
        cycles.entity_code,
        cycles.shop_id,
        cycles.billing_cycle_id,
        'C010_IDENTITY' as rule_code,
        cycles.identity_code as fault_code,
        case
            when cycles.payout_amount > 0
                then cast(cycles.opening_amount + cycles.net_amount as decimal(18, 2))
            else cycles.payout_amount
        end as expected_amount,
        case
            when cycles.break_amount = 0 and cycles.identity_code is not null then cycles.payment_line_amount
            else cycles.payout_amount
        end as actual_amount,
        cycles.currency_code,
        cycles.cycle_date as subject_date,
        case when cycles.identity_code = 'PAY-002' then 'TRANSACTION_LINE' end as root_subject_type,
        case when cycles.identity_code = 'PAY-002' then cycles.unassigned_line_id end as root_subject_id,
        case cycles.identity_code
            when 'PAY-001' then 'The pay-out is not the opening balance plus the lines of the cycle.'
            when 'PAY-002' then 'Paid lines that name no cycle are missing from this one.'
            when 'PAY-003' then 'The balance that the cycle before left was not brought forward.'
            when 'PAY-009' then 'The running balance jumps: lines of this cycle were never delivered.'
        end as fault_summary
    from cycles

),

pay_outs as (

    select
        cycles.marketplace_code,
        cycles.entity_code,
        cycles.shop_id,
        cycles.billing_cycle_id,
        'C020_PAY_OUT' as rule_code,
        case
            when cycles.pay_out_state = 'FAILED' and cycles.paying_cycle_id is null then 'PAY-004'
        end as fault_code,
        case
            when cycles.pay_out_state = 'FAILED' and cycles.paying_cycle_id is null
                then cast(greatest(cycles.opening_amount + cycles.net_amount, 0) as decimal(18, 2))
            else cycles.payout_amount
        end as expected_amount,
        cycles.payout_amount as actual_amount,
        cycles.currency_code,
        cycles.cycle_date as subject_date,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
        'The pay-out failed' || coalesce(' (' || lower(replace(cycles.pay_out_failure_reason, '_', ' ')) || ')', '')
        || ' and no later cycle has paid the balance.' as fault_summary
    from cycles

),

balances as (

    select
        cycles.marketplace_code,
        cycles.entity_code,
        cycles.shop_id,
        cycles.billing_cycle_id,
        'C030_BALANCE' as rule_code,
        case
            when cycles.payout_amount = 0 and cycles.closing_amount < 0 then 'PAY-005'
        end as fault_code,
        cast(0 as decimal(18, 2)) as expected_amount,
        cast(case
            when cycles.payout_amount = 0 then least(cycles.closing_amount, 0)
            else 0
        end as decimal(18, 2)) as actual_amount,
        cycles.currency_code,
        cycles.cycle_date as subject_date,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
        'The cycle ends negative; the balance is carried forward.' as fault_summary
    from cycles

),

coverage as (

    select
        cycles.marketplace_code,
        cycles.entity_code,
        cycles.shop_id,
        cycles.billing_cycle_id,
        'C040_COVERAGE' as rule_code,
        case when carried.cycle_count is not null then 'PAY-006' end as fault_code,
        cycles.net_amount as expected_amount,
        case
            when carried.cycle_count is not null then cycles.payout_amount
            else cycles.net_amount
        end as actual_amount,
        cycles.currency_code,
        cycles.cycle_date as subject_date,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
        'The pay-out covers ' || cast(coalesce(carried.cycle_count, 0) + 1 as varchar) || ' cycles.' as fault_summary
    from cycles
    left join carried
        on
            cycles.marketplace_code = carried.marketplace_code
            and cycles.billing_cycle_id = carried.paying_cycle_id
    where cycles.payout_amount > 0

),

currencies as (

    select
        cycles.marketplace_code,
        cycles.entity_code,
        cycles.shop_id,
        cycles.billing_cycle_id,
        'C050_CURRENCY' as rule_code,
        case when cycles.currency_count > 1 then 'PAY-008' end as fault_code,
        cycles.net_amount as expected_amount,
        cycles.net_amount as actual_amount,
        cycles.currency_code,
        cycles.cycle_date as subject_date,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
        'The lines of this cycle are in more than one currency.' as fault_summary
    from cycles

),

opening_reserves as (

    select
        opening.marketplace_code,
        opening.currency_code,
        cast(sum(opening.amount) as decimal(18, 2)) as opening_amount
    from {{ ref('stg_tieout__opening_balances') }} as opening
    where opening.account_role = 'MARKETPLACE_RESERVE'
    group by opening.marketplace_code, opening.currency_code

),

reserve_chain as (

    -- What was put into the reserve and what came back, until each cycle and until now; the oldest is given back first.
    select
        cycles.marketplace_code,
        cycles.entity_code,
        cycles.shop_id,
        cycles.billing_cycle_id,
        cycles.currency_code,
        cycles.cycle_date,
        cycles.reserved_amount,
        cycles.released_amount,
        marketplaces.reserve_days,
        marketplaces.as_of_date,
        coalesce(opening_reserves.opening_amount, 0) + sum(cycles.reserved_amount) over (
            partition by cycles.marketplace_code, cycles.shop_id, cycles.currency_code
            order by cycles.cycle_number
            rows between unbounded preceding and current row
        ) as reserved_until_now,
        sum(cycles.released_amount) over (
            partition by cycles.marketplace_code, cycles.shop_id, cycles.currency_code
            order by cycles.cycle_number
            rows between unbounded preceding and current row
        ) as released_until_now,
        sum(cycles.released_amount) over (
            partition by cycles.marketplace_code, cycles.shop_id, cycles.currency_code
        ) as released_ever
    from cycles
    inner join marketplaces
        on cycles.marketplace_code = marketplaces.marketplace_code
    left join opening_reserves
        on
            cycles.has_books
            and cycles.marketplace_code = opening_reserves.marketplace_code
            and cycles.currency_code = opening_reserves.currency_code

),

reserves_measured as (

    select
        reserve_chain.*,
        reserve_chain.released_amount > 0
        and reserve_chain.released_until_now > reserve_chain.reserved_until_now as is_moved,
        coalesce(
            {{ add_days('reserve_chain.cycle_date', 'reserve_chain.reserve_days') }} < reserve_chain.as_of_date, false
        ) as is_release_due,
        cast(greatest(
            least(reserve_chain.reserved_amount, reserve_chain.reserved_until_now - reserve_chain.released_ever), 0
        ) as decimal(18, 2)) as held_amount
    from reserve_chain
    where reserve_chain.reserved_amount <> 0 or reserve_chain.released_amount <> 0

),

reserves as (

    select
        reserves_measured.marketplace_code,
        reserves_measured.entity_code,
        reserves_measured.shop_id,
        reserves_measured.billing_cycle_id,
        'C070_RESERVE' as rule_code,
        case
            when reserves_measured.is_moved then 'PAY-007'
            when reserves_measured.is_release_due and reserves_measured.held_amount > 0 then 'PAY-007'
        end as fault_code,
        cast(case
            when reserves_measured.is_moved then reserves_measured.reserved_until_now
            when reserves_measured.is_release_due then 0
            else reserves_measured.held_amount
        end as decimal(18, 2)) as expected_amount,
        cast(case
            when reserves_measured.is_moved then reserves_measured.released_until_now
            else reserves_measured.held_amount
        end as decimal(18, 2)) as actual_amount,
        reserves_measured.currency_code,
        reserves_measured.cycle_date as subject_date,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
        case
            when reserves_measured.is_moved then 'More came back from the reserve than was put into it.'
            else 'The reserve of this cycle should have been given back.'
        end as fault_summary
    from reserves_measured

),

cycle_tests as (

    select * from identity
    union all
    select * from pay_outs
    union all
    select * from balances
    union all
    select * from coverage
    union all
    select * from currencies
    union all
    select * from reserves

),

final as (

    select
        cycle_tests.marketplace_code,
        cycle_tests.entity_code,
        cycle_tests.shop_id,
        'CYCLE' as subject_type,
        cycle_tests.billing_cycle_id as subject_id,
        cycle_tests.rule_code,
        case when cycle_tests.fault_code is not null then 'EXCEPTION' else 'MATCHED' end as status,
        cycle_tests.fault_code as exception_code,
        cycle_tests.expected_amount,
        cycle_tests.actual_amount,
        cast(cycle_tests.actual_amount - cycle_tests.expected_amount as decimal(18, 2)) as delta_amount,
        coalesce(tolerances.cycle_identity, cast(0 as decimal(18, 2))) as tolerance_amount,
        cycle_tests.currency_code,
        cycle_tests.billing_cycle_id as left_id,
        cast(null as varchar) as right_id,
        cast(null as timestamp) as due_at,
        cycle_tests.root_subject_type,
        cycle_tests.root_subject_id,
        case
            when cycle_tests.fault_code is not null
                then
                    case
                        when marketplaces.perspective = 'OPERATOR' then 'Shop ' || cycle_tests.shop_id || ': ' else ''
                    end
                    || cycle_tests.fault_summary || ' Cycle of ' || cast(cycle_tests.subject_date as varchar) || ', '
                    || cast(cycle_tests.actual_amount - cycle_tests.expected_amount as varchar) || ' '
                    || cycle_tests.currency_code || '.'
        end as summary,
        cycle_tests.billing_cycle_id,
        cast(null as varchar) as transaction_line_id,
        cycle_tests.subject_date
    from cycle_tests
    inner join marketplaces
        on cycle_tests.marketplace_code = marketplaces.marketplace_code
    left join tolerances
        on cycle_tests.currency_code = tolerances.currency_code
    union all
    select
        ledger_cycles.marketplace_code,
        ledger_cycles.entity_code,
        ledger_cycles.shop_id,
        'CYCLE' as subject_type,
        ledger_cycles.billing_cycle_id as subject_id,
        'C010_IDENTITY' as rule_code,
        'EXCLUDED' as status,
        cast(null as varchar) as exception_code,
        ledger_cycles.transferred_to_seller_amount as expected_amount,
        ledger_cycles.transferred_to_seller_amount as actual_amount,
        cast(0 as decimal(18, 2)) as delta_amount,
        cast(0 as decimal(18, 2)) as tolerance_amount,
        ledger_cycles.currency_code,
        ledger_cycles.billing_cycle_id as left_id,
        cast(null as varchar) as right_id,
        cast(null as timestamp) as due_at,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
        cast(null as varchar) as summary,
        ledger_cycles.billing_cycle_id,
        cast(null as varchar) as transaction_line_id,
        ledger_cycles.cycle_date as subject_date
    from ledger_cycles
    where ledger_cycles.is_excluded
    union all
    select
        lines.marketplace_code,
        lines.entity_code,
        lines.shop_id,
        'TRANSACTION_LINE' as subject_type,
        lines.transaction_line_id as subject_id,
        'C060_LINE_HAS_CYCLE' as rule_code,
        case when lines.is_before_go_live then 'EXCLUDED' else 'EXCEPTION' end as status,
        case when lines.is_before_go_live then null else 'PAY-002' end as exception_code,
        cast(0 as decimal(18, 2)) as expected_amount,
        lines.amount as actual_amount,
        lines.amount as delta_amount,
        cast(0 as decimal(18, 2)) as tolerance_amount,
        lines.currency_code,
        lines.transaction_line_id as left_id,
        lines.billing_cycle_id as right_id,
        cast(null as timestamp) as due_at,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
        case
            when not lines.is_before_go_live
                then
                    case when marketplaces.perspective = 'OPERATOR' then 'Shop ' || lines.shop_id || ': ' else '' end
                    || 'The line is PAID but names no cycle (' || lines.transaction_type || ', '
                    || cast(lines.amount as varchar) || ' ' || lines.currency_code || ').'
        end as summary,
        lines.billing_cycle_id,
        lines.transaction_line_id,
        lines.line_date as subject_date
    from lines
    inner join marketplaces
        on lines.marketplace_code = marketplaces.marketplace_code
    where
        lines.payment_state = 'PAID'
        and not lines.has_cycle_id
        and lines.component <> 'PAYMENT'

)

select * from final
