-- Level a: one row per subject (order, order line, ERP order) and rule. Not additive over rules: one order has several rows.
-- delta_amount = actual - expected, in the order's currency. Consequences of a missing order name it in root_subject_id.

with order_checks as (
    select * from {{ ref('int_matching__order_checks') }}
),

line_checks as (
    select * from {{ ref('int_matching__order_line_checks') }}
),

erp_checks as (
    select * from {{ ref('int_matching__erp_order_checks') }}
),

-- Where only one side knows that the goods have left, their states cannot agree either: level i has the cause.
wrong_dispatches as (
    select
        marketplace_code,
        order_id
    from {{ ref('int_matching__dispatch_orders') }}
    where status = 'EXCEPTION'
),

of_orders as (
    select
        order_checks.marketplace_code,
        order_checks.entity_code,
        'ORDER' as subject_type,
        order_checks.order_id as subject_id,
        order_checks.rule_code,
        order_checks.status,
        order_checks.exception_code,
        order_checks.expected_amount,
        order_checks.actual_amount,
        order_checks.tolerance_amount,
        order_checks.currency_code,
        order_checks.order_id as left_id,
        order_checks.document_no as right_id,
        order_checks.due_at,
        case when wrong_dispatches.order_id is not null then 'DISPATCH' end as root_subject_type,
        wrong_dispatches.order_id as root_subject_id,
        order_checks.summary,
        order_checks.order_id,
        cast(null as varchar) as order_line_id,
        order_checks.document_no,
        cast(null as decimal(18, 4)) as expected_quantity,
        cast(null as decimal(18, 4)) as actual_quantity,
        order_checks.expected_value,
        order_checks.actual_value
    from order_checks
    left join wrong_dispatches
        on
            order_checks.rule_code = 'ORDER_STATUS'
            and order_checks.status = 'EXCEPTION'
            and order_checks.marketplace_code = wrong_dispatches.marketplace_code
            and order_checks.order_id = wrong_dispatches.order_id
),

of_lines as (
    select
        marketplace_code,
        entity_code,
        'ORDER_LINE' as subject_type,
        order_line_id as subject_id,
        rule_code,
        status,
        exception_code,
        expected_amount,
        actual_amount,
        tolerance_amount,
        currency_code,
        order_line_id as left_id,
        right_id,
        due_at,
        case when is_consequence then 'ORDER' end as root_subject_type,
        case when is_consequence then order_id end as root_subject_id,
        summary,
        order_id,
        order_line_id,
        document_no,
        expected_quantity,
        actual_quantity,
        expected_value,
        actual_value
    from line_checks
),

of_erp_orders as (
    select
        marketplace_code,
        entity_code,
        'ERP_ORDER' as subject_type,
        document_no as subject_id,
        rule_code,
        status,
        case when status = 'EXCEPTION' then 'ORD-002' end as exception_code,
        case when order_id is not null then gross_amount else 0 end as expected_amount,
        gross_amount as actual_amount,
        cast(0 as decimal(18, 2)) as tolerance_amount,
        currency_code,
        order_id as left_id,
        document_no as right_id,
        due_at,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
        case
            when status in ('EXCEPTION', 'TIMING')
                then
                    'ERP order ' || document_no || ' (' || erp_status || ') names marketplace order '
                    || coalesce(order_reference, 'none') || ', which the marketplace does not have'
        end as summary,
        order_id,
        cast(null as varchar) as order_line_id,
        document_no,
        cast(null as decimal(18, 4)) as expected_quantity,
        cast(null as decimal(18, 4)) as actual_quantity,
        order_reference as expected_value,
        erp_status as actual_value
    from erp_checks
),

unioned as (
    select * from of_orders
    union all
    select * from of_lines
    union all
    select * from of_erp_orders
),

final as (
    select
        unioned.marketplace_code,
        unioned.entity_code,
        unioned.subject_type,
        unioned.subject_id,
        unioned.rule_code,
        unioned.status,
        unioned.exception_code,
        {{ money('unioned.expected_amount') }} as expected_amount,
        {{ money('unioned.actual_amount') }} as actual_amount,
        {{ money('unioned.actual_amount - unioned.expected_amount') }} as delta_amount,
        {{ money('unioned.tolerance_amount') }} as tolerance_amount,
        unioned.currency_code,
        unioned.left_id,
        unioned.right_id,
        unioned.due_at,
        unioned.root_subject_type,
        unioned.root_subject_id,
        unioned.summary,
        unioned.order_id,
        unioned.order_line_id,
        unioned.document_no,
        unioned.expected_quantity,
        unioned.actual_quantity,
        unioned.expected_value,
        unioned.actual_value
    from unioned
)

select * from final
