-- Grain: transaction line, with what it counts as and its one status at level b (against orders and rules) and level c (in a cycle).
-- Amounts in the marketplace's view.
with

lines as {{ inlined() }} (

    select * from {{ ref('int_matching__transaction_lines') }}

),

tests as (

    select * from {{ ref('int_matching__settlement_tests') }}

),

cycles as (

    select * from {{ ref('int_matching__cycles') }}

),

graded_tests as (

    select
        tests.marketplace_code,
        case
            when tests.rule_code in ('B010_SETTLED_IN_TIME', 'B030_GOODS') then 'GOODS'
            when tests.rule_code = 'B040_SHIPPING' then 'SHIPPING'
            when tests.rule_code = 'B050_COMMISSION' then 'COMMISSION'
            when tests.rule_code = 'B070_COMMISSION_VAT' then 'COMMISSION_VAT'
            when tests.rule_code = 'B020_CANCELLED' then 'CANCELLED'
            when tests.rule_code = 'B080_REFUND' then 'REFUND'
            when tests.rule_code = 'B090_REFUND_COMMISSION' then 'REFUND_COMMISSION'
            when tests.rule_code = 'B100_REFUND_COMMISSION_VAT' then 'REFUND_COMMISSION_VAT'
            when tests.rule_code in ('B110_FEE_RULE', 'B120_IMMUTABLE', 'B130_UNIQUE') then 'LINE'
            when tests.rule_code = 'B140_TYPE_MAPPED' then 'TYPE'
            when tests.rule_code = 'B150_ORDER_KNOWN' then 'ORDER'
        end as test_kind,
        tests.subject_id,
        tests.refund_id,
        tests.order_line_id,
        tests.status,
        tests.fault_code,
        tests.rule_code,
        case tests.status
            when 'EXCEPTION' then 5
            when 'TIMING' then 4
            when 'MATCHED_WITHIN_TOLERANCE' then 3
            when 'MATCHED' then 2
            else 1
        end as gravity
    from tests

),

excluded_lines as (

    select
        graded_tests.marketplace_code,
        graded_tests.order_line_id
    from graded_tests
    where graded_tests.status = 'EXCLUDED'
    group by graded_tests.marketplace_code, graded_tests.order_line_id

),

ranked_tests as (

    -- A match says what a line without a test says as well, unless it stands against an exclusion: most tests are matches,
    -- and need not be sorted.
    select graded_tests.*
    from graded_tests
    left join excluded_lines
        on
            graded_tests.marketplace_code = excluded_lines.marketplace_code
            and graded_tests.order_line_id = excluded_lines.order_line_id
    where
        graded_tests.status <> 'MATCHED'
        or graded_tests.test_kind = 'LINE'
        or excluded_lines.order_line_id is not null

),

line_tests as (

    -- The gravest of the tests that a line takes part in is its status.
    select
        lines.marketplace_code,
        lines.transaction_line_id,
        ranked_tests.status,
        ranked_tests.fault_code,
        row_number() over (
            partition by lines.marketplace_code, lines.transaction_line_id
            order by ranked_tests.gravity desc, ranked_tests.rule_code asc
        ) as test_number
    from lines
    inner join ranked_tests
        on
            lines.marketplace_code = ranked_tests.marketplace_code
            and lines.order_line_id = ranked_tests.order_line_id
            and (
                lines.component = ranked_tests.test_kind
                or (
                    ranked_tests.test_kind = 'CANCELLED'
                    and lines.component in ('GOODS', 'SHIPPING', 'COMMISSION', 'COMMISSION_VAT')
                )
            )
            and ranked_tests.refund_id is null
    where lines.refund_id is null

),

refund_tests as (

    select
        lines.marketplace_code,
        lines.transaction_line_id,
        ranked_tests.status,
        ranked_tests.fault_code,
        row_number() over (
            partition by lines.marketplace_code, lines.transaction_line_id
            order by ranked_tests.gravity desc, ranked_tests.rule_code asc
        ) as test_number
    from lines
    inner join ranked_tests
        on
            lines.marketplace_code = ranked_tests.marketplace_code
            and lines.refund_id = ranked_tests.refund_id
            and (
                lines.component = ranked_tests.test_kind
                or (ranked_tests.test_kind = 'REFUND' and lines.component in ('REFUND_GOODS', 'REFUND_SHIPPING'))
            )

),

own_tests as (

    select
        ranked_tests.marketplace_code,
        ranked_tests.subject_id as transaction_line_id,
        ranked_tests.status,
        ranked_tests.fault_code,
        row_number() over (
            partition by ranked_tests.marketplace_code, ranked_tests.subject_id
            order by ranked_tests.gravity desc, ranked_tests.rule_code asc
        ) as test_number
    from ranked_tests
    where ranked_tests.test_kind = 'LINE'

),

unknown_orders as (

    select
        ranked_tests.marketplace_code,
        ranked_tests.subject_id as order_id,
        max(ranked_tests.status) as status
    from ranked_tests
    where ranked_tests.test_kind = 'ORDER'
    group by ranked_tests.marketplace_code, ranked_tests.subject_id

),

final as (

    select
        lines.marketplace_code,
        lines.entity_code,
        lines.shop_id,
        lines.transaction_line_id,
        lines.transaction_type,
        lines.fee_type,
        lines.bucket,
        lines.account_role,
        lines.amount,
        lines.running_balance,
        lines.currency_code,
        lines.created_at,
        lines.line_date,
        lines.payment_state,
        lines.billing_cycle_id,
        lines.document_number,
        lines.voucher_number,
        lines.order_id,
        lines.order_line_id,
        lines.refund_id,
        lines.fee_code,
        lines.is_in_net,
        case
            when lines.is_informative or lines.is_before_go_live then 'EXCLUDED'
            when not lines.is_mapped then 'EXCEPTION'
            when unknown_orders.order_id is not null then unknown_orders.status
            when
                coalesce(own_tests.status, refund_tests.status, line_tests.status, 'MATCHED')
                in ('MATCHED', 'MATCHED_WITHIN_TOLERANCE')
                and lines.billing_cycle_id is null
                and lines.component <> 'PAYMENT'
                then 'TIMING'
            else coalesce(own_tests.status, refund_tests.status, line_tests.status, 'MATCHED')
        end as order_match_status,
        case
            when lines.is_informative or lines.is_before_go_live then null
            when not lines.is_mapped then 'SET-009'
            when unknown_orders.status = 'EXCEPTION' then 'SET-006'
            when coalesce(own_tests.status, refund_tests.status, line_tests.status) = 'EXCEPTION'
                then coalesce(own_tests.fault_code, refund_tests.fault_code, line_tests.fault_code)
        end as order_exception_code,
        case
            when lines.is_informative or lines.is_before_go_live then 'EXCLUDED'
            when lines.payment_state = 'PAID' and not lines.has_cycle_id and lines.component <> 'PAYMENT'
                then 'EXCEPTION'
            when lines.billing_cycle_id is null then 'TIMING'
            when cycles.identity_code is not null then 'EXCEPTION'
            else 'MATCHED'
        end as cycle_match_status
    from lines
    left join cycles
        on
            lines.marketplace_code = cycles.marketplace_code
            and lines.billing_cycle_id = cycles.billing_cycle_id
    left join unknown_orders
        on
            lines.marketplace_code = unknown_orders.marketplace_code
            and lines.order_id = unknown_orders.order_id
    left join own_tests
        on
            lines.marketplace_code = own_tests.marketplace_code
            and lines.transaction_line_id = own_tests.transaction_line_id
            and own_tests.test_number = 1
    left join refund_tests
        on
            lines.marketplace_code = refund_tests.marketplace_code
            and lines.transaction_line_id = refund_tests.transaction_line_id
            and refund_tests.test_number = 1
    left join line_tests
        on
            lines.marketplace_code = line_tests.marketplace_code
            and lines.transaction_line_id = line_tests.transaction_line_id
            and line_tests.test_number = 1

)

select * from final
