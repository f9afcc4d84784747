-- Grain: subject × rule of level b. What orders, refunds, contracts and fee rules expect beside what the transaction lines settle,
-- in the marketplace's view. delta = actual - expected.
with

tests as (

    select * from {{ ref('int_matching__settlement_tests') }}

),

missing_lines as (

    select * from {{ ref('int_matching__missing_line_effects') }}

),

final as (

    select
        tests.marketplace_code,
        tests.entity_code,
        tests.subject_type,
        tests.subject_id,
        tests.rule_code,
        tests.status,
        case when tests.status = 'EXCEPTION' then tests.fault_code end as exception_code,
        tests.expected_amount,
        tests.actual_amount,
        cast(tests.actual_amount - tests.expected_amount as decimal(18, 2)) as delta_amount,
        tests.tolerance_amount,
        tests.currency_code,
        coalesce(tests.refund_id, tests.order_line_id, tests.order_id) as left_id,
        tests.transaction_line_id as right_id,
        tests.due_at,
        case when tests.status = 'EXCEPTION' then missing_lines.root_subject_type end as root_subject_type,
        case when tests.status = 'EXCEPTION' then missing_lines.root_subject_id end as root_subject_id,
        case
            when tests.status = 'EXCEPTION'
                then
                    tests.fault_summary || ' Expected ' || cast(tests.expected_amount as varchar) || ', found '
                    || cast(tests.actual_amount as varchar) || ' ' || tests.currency_code || '.'
        end as summary,
        tests.order_id,
        tests.order_line_id,
        tests.refund_id,
        tests.transaction_line_id,
        tests.billing_cycle_id,
        tests.fee_type,
        tests.subject_date
    from tests
    left join missing_lines
        on
            tests.marketplace_code = missing_lines.marketplace_code
            and tests.order_line_id = missing_lines.order_line_id

)

select * from final
