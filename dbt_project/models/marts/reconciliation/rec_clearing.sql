-- Grain: account role × currency × period × rule of level g. The roll-forward against the ERP, and clearing in credit at the end of a
-- period. A difference that level f explains is that finding's consequence, not a second finding.
with

rollforward as (

    select * from {{ ref('clearing_rollforward') }}

),

movements as (

    select * from {{ ref('int_matching__clearing_movements') }}

),

cycles as (

    select * from {{ ref('int_matching__cycles') }}

),

tolerances as (

    select * from {{ ref('int_matching__tolerances') }}

),

explained as (

    select
        rollforward.marketplace_code,
        rollforward.account_role,
        rollforward.currency_code,
        rollforward.period,
        min(case when movements.movement_kind = 'UNEXPECTED' then null else movements.source_id end) as journal_key,
        min(case when movements.movement_kind = 'UNEXPECTED' then movements.source_id end) as urn
    from rollforward
    inner join movements
        on
            rollforward.marketplace_code = movements.marketplace_code
            and rollforward.account_role = movements.account_role
            and rollforward.currency_code = movements.currency_code
            and rollforward.period >= movements.period
    where
        movements.match_status = 'EXCEPTION'
        and movements.expected_amount <> movements.actual_amount
    group by
        rollforward.marketplace_code, rollforward.account_role, rollforward.currency_code, rollforward.period

),

negative_cycles as (

    select
        cycles.marketplace_code,
        cycles.currency_code,
        {{ period_of('cycles.cycle_date') }} as period,
        max(cycles.cycle_number) as cycle_number
    from cycles
    where cycles.payout_amount = 0 and cycles.closing_amount < 0
    group by cycles.marketplace_code, cycles.currency_code, {{ period_of('cycles.cycle_date') }}

),

ties as (

    select
        rollforward.marketplace_code,
        rollforward.entity_code,
        rollforward.account_role,
        rollforward.currency_code,
        rollforward.period,
        'G010_ROLL_FORWARD' as rule_code,
        case
            when rollforward.difference_amount = 0 then 'MATCHED'
            when abs(rollforward.unexplained_amount) > coalesce(tolerances.roll_forward, 0) then 'EXCEPTION'
            when rollforward.finding_amount <> 0 or explained.journal_key is not null or explained.urn is not null
                then 'EXCEPTION'
            else 'TIMING'
        end as status,
        'CLR-001' as fault_code,
        rollforward.closing_amount as expected_amount,
        rollforward.erp_closing_amount as actual_amount,
        coalesce(tolerances.roll_forward, cast(0 as decimal(18, 2))) as tolerance_amount,
        case
            when abs(rollforward.unexplained_amount) > coalesce(tolerances.roll_forward, 0) then null
            when explained.journal_key is not null then 'JOURNAL'
            when explained.urn is not null then 'ERP_POSTING'
        end as root_subject_type,
        case
            when abs(rollforward.unexplained_amount) > coalesce(tolerances.roll_forward, 0) then null
            else coalesce(explained.journal_key, explained.urn)
        end as root_subject_id,
        'The ledger''s closing balance is not the roll-forward''s.' as fault_summary
    from rollforward
    left join tolerances
        on rollforward.currency_code = tolerances.currency_code
    left join explained
        on
            rollforward.marketplace_code = explained.marketplace_code
            and rollforward.account_role = explained.account_role
            and rollforward.currency_code = explained.currency_code
            and rollforward.period = explained.period

),

credits as (

    -- Only for months that are over. A negative cycle of the month is the cause where there is one.
    select
        rollforward.marketplace_code,
        rollforward.entity_code,
        rollforward.account_role,
        rollforward.currency_code,
        rollforward.period,
        'G020_CREDIT_BALANCE' as rule_code,
        case when rollforward.closing_amount < 0 then 'EXCEPTION' else 'MATCHED' end as status,
        'CLR-004' as fault_code,
        cast(0 as decimal(18, 2)) as expected_amount,
        least(rollforward.closing_amount, cast(0 as decimal(18, 2))) as actual_amount,
        cast(0 as decimal(18, 2)) as tolerance_amount,
        case when negative_cycles.cycle_number is not null then 'CYCLE' end as root_subject_type,
        cycles.billing_cycle_id as root_subject_id,
        'Clearing is in credit at the end of the period.' as fault_summary
    from rollforward
    left join negative_cycles
        on
            rollforward.marketplace_code = negative_cycles.marketplace_code
            and rollforward.currency_code = negative_cycles.currency_code
            and rollforward.period = negative_cycles.period
    left join cycles
        on
            negative_cycles.marketplace_code = cycles.marketplace_code
            and negative_cycles.currency_code = cycles.currency_code
            and negative_cycles.cycle_number = cycles.cycle_number
    where
        rollforward.account_role = 'MARKETPLACE_CLEARING'
        and rollforward.period < {{ period_of(as_of()) }}

),

unioned as (

    select * from ties
    union all
    select * from credits

),

final as (

    select
        unioned.marketplace_code,
        unioned.entity_code,
        'ACCOUNT_PERIOD' as subject_type,
        unioned.account_role || '|' || unioned.currency_code || '|' || unioned.period as subject_id,
        unioned.rule_code,
        unioned.status,
        case when unioned.status = 'EXCEPTION' then unioned.fault_code end as exception_code,
        unioned.expected_amount,
        unioned.actual_amount,
        cast(unioned.actual_amount - unioned.expected_amount as decimal(18, 2)) as delta_amount,
        unioned.tolerance_amount,
        unioned.currency_code,
        unioned.account_role as left_id,
        unioned.period as right_id,
        cast(null as timestamp) as due_at,
        case when unioned.status = 'EXCEPTION' then unioned.root_subject_type end as root_subject_type,
        case when unioned.status = 'EXCEPTION' then unioned.root_subject_id end as root_subject_id,
        case
            when unioned.status = 'EXCEPTION'
                then
                    unioned.fault_summary || ' ' || unioned.account_role || ', ' || unioned.period || ': '
                    || cast(unioned.actual_amount - unioned.expected_amount as varchar) || ' '
                    || unioned.currency_code || '.'
        end as summary,
        unioned.account_role,
        unioned.period
    from unioned

)

select * from final
