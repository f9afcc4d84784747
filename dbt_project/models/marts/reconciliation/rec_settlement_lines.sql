-- Grain: subject × rule of level b. What orders, refunds, contracts and fee rules expect beside what the transaction lines settle,
-- in the marketplace's view. delta = actual - expected.
with

tests as (

    select * from {{ ref('int_matching__settlement_tests') }}
    union all
    select * from {{ ref('int_matching__fee_taxes') }}
    union all
    select * from {{ ref('int_matching__currency_tests') }}

),

currency_roots as (

    -- A line in a strange currency is the cause of what its order line lacks; a cycle that mixes currencies is the cause of both.
    select
        currency_tests.marketplace_code,
        currency_tests.order_line_id,
        min(currency_tests.transaction_line_id) as transaction_line_id,
        min(case when cycles.currency_count > 1 then currency_tests.billing_cycle_id end) as mixed_cycle_id
    from {{ ref('int_matching__currency_tests') }} as currency_tests
    left join {{ ref('int_matching__cycles') }} as cycles
        on
            currency_tests.marketplace_code = cycles.marketplace_code
            and currency_tests.billing_cycle_id = cycles.billing_cycle_id
    where currency_tests.status = 'EXCEPTION'
    group by currency_tests.marketplace_code, currency_tests.order_line_id

),

foreign_vat as (

    select
        fee_taxes.marketplace_code,
        fee_taxes.billing_cycle_id
    from {{ ref('int_matching__fee_taxes') }} as fee_taxes
    where fee_taxes.fault_code = 'TAX-007' and fee_taxes.status = 'EXCEPTION' and fee_taxes.fee_type = 'COMMISSION'

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
        case
            when tests.status <> 'EXCEPTION' then null
            -- VAT that must not be charged at all is one document to be corrected, not a rate to be argued line by line.
            when tests.fault_code = 'SET-005' and foreign_vat.billing_cycle_id is not null then 'CYCLE'
            when currency_roots.mixed_cycle_id is not null then 'CYCLE'
            when currency_roots.transaction_line_id is not null then 'TRANSACTION_LINE'
            else missing_lines.root_subject_type
        end as root_subject_type,
        case
            when tests.status <> 'EXCEPTION' then null
            when tests.fault_code = 'SET-005' and foreign_vat.billing_cycle_id is not null
                then foreign_vat.billing_cycle_id
            when currency_roots.transaction_line_id is not null
                then coalesce(currency_roots.mixed_cycle_id, currency_roots.transaction_line_id)
            else missing_lines.root_subject_id
        end as root_subject_id,
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
    left join foreign_vat
        on
            tests.marketplace_code = foreign_vat.marketplace_code
            and tests.billing_cycle_id = foreign_vat.billing_cycle_id
    left join currency_roots
        on
            tests.marketplace_code = currency_roots.marketplace_code
            and tests.order_line_id = currency_roots.order_line_id

)

select * from final
