-- Level i: one row per subject (an order's dispatch, its lines, the ERP's despatch documents) and rule. Not additive over subjects: lines repeat their order.
-- expected = what the marketplace says was sent, actual = what the ERP despatched; values tax included, in the order's currency.
-- Where sellers keep their books elsewhere, their parcels stand in the ERP's place. SHIPPING_DEADLINE: what is due to the buyer, and how much of it is not in danger.

with dispatch_orders as {{ inlined() }} (
    select * from {{ ref('int_matching__dispatch_orders') }}
),

dispatch_lines as (
    select * from {{ ref('int_matching__dispatch_lines') }}
),

-- Lines of which level a does not know yet whether they are wrong.
waiting_lines as (
    select
        compared.marketplace_code,
        compared.order_line_id
    from {{ ref('rec_orders') }} as compared
    where compared.subject_type = 'ORDER_LINE' and compared.status in ('TIMING', 'EXCEPTION')
    group by compared.marketplace_code, compared.order_line_id
    having max(case when compared.status = 'EXCEPTION' then 1 else 0 end) = 0
),

of_orders as (
    select
        marketplace_code,
        entity_code,
        'DISPATCH' as subject_type,
        order_id as subject_id,
        'ORDER_SENT' as rule_code,
        status,
        verdict_code as exception_code,
        shipped_amount as expected_amount,
        despatched_amount as actual_amount,
        currency_code,
        order_id as left_id,
        document_no as right_id,
        due_at,
        case when status = 'EXCEPTION' and not is_in_erp then 'ORDER' end as root_subject_type,
        case when status = 'EXCEPTION' and not is_in_erp then order_id end as root_subject_id,
        case verdict_code
            when 'DSP-001'
                then
                    'order ' || order_id || ' left the warehouse (ERP order ' || document_no || ', '
                    || {{ whole_number('despatched_quantity') }} || ' units), but is ' || order_state
                    || ' at the marketplace; its shipping deadline is '
                    || coalesce(substr(cast(shipping_deadline_at as varchar), 1, 16) || ' UTC', 'not known')
            when 'DSP-002'
                then
                    'order ' || order_id || ' was confirmed as shipped on '
                    || substr(cast(shipped_at as varchar), 1, 16)
                    || ' UTC, but nothing of it was despatched in '
                    || coalesce('ERP order ' || document_no, 'the ERP, which does not have the order')
            when 'DSP-006'
                then
                    'order ' || order_id || ' is ' || order_state || ' at the marketplace, but '
                    || {{ whole_number('despatched_quantity') }} || ' units were despatched on ERP order '
                    || document_no
        end as summary,
        order_id,
        cast(null as varchar) as order_line_id,
        document_no,
        shipped_quantity as expected_quantity,
        despatched_quantity as actual_quantity
    from dispatch_orders
),

-- One root per order: while the order as a whole is wrong or on its way, its lines only follow.
judged_lines as (
    select
        dispatch_lines.*,
        dispatch_orders.entity_code,
        dispatch_orders.document_no,
        dispatch_orders.currency_code,
        dispatch_orders.status as order_status,
        dispatch_orders.verdict_code as order_verdict_code,
        dispatch_orders.due_at,
        case
            when dispatch_orders.is_excluded then 'EXCLUDED'
            when dispatch_lines.shipped_quantity = dispatch_lines.despatched_quantity
                then
                    case
                        when dispatch_lines.shipped_quantity > 0 then 'MATCHED'
                        when dispatch_lines.due_quantity = 0 or dispatch_orders.status = 'EXCLUDED' then 'EXCLUDED'
                        else 'TIMING'
                    end
            when dispatch_orders.status = 'TIMING' then 'TIMING'
            when dispatch_lines.is_order_different and waiting_lines.order_line_id is not null then 'TIMING'
            else 'EXCEPTION'
        end as status
    from dispatch_lines
    inner join dispatch_orders
        on
            dispatch_lines.marketplace_code = dispatch_orders.marketplace_code
            and dispatch_lines.order_id = dispatch_orders.order_id
    left join waiting_lines
        on
            dispatch_lines.marketplace_code = waiting_lines.marketplace_code
            and dispatch_lines.order_line_id = waiting_lines.order_line_id
),

of_lines as (
    select
        marketplace_code,
        entity_code,
        'DISPATCH_LINE' as subject_type,
        order_line_id as subject_id,
        'LINE_SENT' as rule_code,
        status,
        case
            when order_status = 'EXCEPTION' then order_verdict_code
            when due_quantity = 0 then 'DSP-006'
            else 'DSP-005'
        end as exception_code,
        shipped_amount as expected_amount,
        despatched_amount as actual_amount,
        currency_code,
        order_line_id as left_id,
        erp_order_line_id as right_id,
        due_at,
        case
            when status <> 'EXCEPTION' then null
            -- An order that the ERP does not have is the root of it all.
            when order_status = 'EXCEPTION' and document_no is null then 'ORDER'
            when order_status = 'EXCEPTION' then 'DISPATCH'
            when is_order_different then 'ORDER_LINE'
        end as root_subject_type,
        case
            when status <> 'EXCEPTION' then null
            when order_status = 'EXCEPTION' then order_id
            when is_order_different then order_line_id
        end as root_subject_id,
        case
            when status in ('EXCEPTION', 'TIMING')
                then
                    'line ' || order_line_id || ' (' || coalesce(item_code, 'no item') || '): '
                    || {{ whole_number('shipped_quantity') }} || ' of ' || {{ whole_number('due_quantity') }}
                    || ' shipped at the marketplace, ' || {{ whole_number('despatched_quantity') }} || ' despatched in '
                    || coalesce('ERP order ' || document_no, 'the ERP')
        end as summary,
        order_id,
        order_line_id,
        document_no,
        shipped_quantity as expected_quantity,
        despatched_quantity as actual_quantity
    from judged_lines
),

of_deadlines as (
    select
        marketplace_code,
        entity_code,
        'DISPATCH' as subject_type,
        order_id as subject_id,
        'SHIPPING_DEADLINE' as rule_code,
        case when {{ as_of() }} >= risk_at then 'EXCEPTION' else 'TIMING' end as status,
        'DSP-003' as exception_code,
        due_amount as expected_amount,
        case when {{ as_of() }} >= risk_at then 0 else due_amount end as actual_amount,
        currency_code,
        order_id as left_id,
        document_no as right_id,
        shipping_deadline_at as due_at,
        case when not is_in_erp then 'ORDER' end as root_subject_type,
        case when not is_in_erp then order_id end as root_subject_id,
        'order ' || order_id
        || case
            when {{ as_of() }} >= shipping_deadline_at then ' should have been shipped by '
            else ' has not been sent and must be shipped by '
        end
        || substr(cast(shipping_deadline_at as varchar), 1, 16) || ' UTC; '
        || {{ whole_number('despatched_quantity') }} || ' of ' || {{ whole_number('due_quantity') }}
        || ' units are despatched in ' || coalesce('ERP order ' || document_no, 'the ERP, which does not have it')
            as summary,
        order_id,
        cast(null as varchar) as order_line_id,
        document_no,
        due_quantity as expected_quantity,
        despatched_quantity as actual_quantity
    from dispatch_orders
    where is_waiting and shipping_deadline_at is not null
),

of_documents as (
    select
        marketplace_code,
        entity_code,
        'ERP_DISPATCH' as subject_type,
        dispatch_no as subject_id,
        'CARRIER_AND_TRACKING' as rule_code,
        status,
        'DSP-004' as exception_code,
        cast(null as decimal(18, 2)) as expected_amount,
        cast(null as decimal(18, 2)) as actual_amount,
        currency_code,
        shipping_tracking as left_id,
        tracking_number as right_id,
        cast(null as timestamp) as due_at,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
        summary,
        order_id,
        cast(null as varchar) as order_line_id,
        document_no,
        cast(null as decimal(18, 4)) as expected_quantity,
        quantity as actual_quantity
    from {{ ref('int_matching__dispatch_documents') }}
),

of_sellers as (
    select
        marketplace_code,
        entity_code,
        subject_type,
        subject_id,
        rule_code,
        status,
        exception_code,
        expected_amount,
        actual_amount,
        currency_code,
        left_id,
        right_id,
        due_at,
        cast(null as varchar) as root_subject_type,
        cast(null as varchar) as root_subject_id,
        summary,
        order_id,
        order_line_id,
        cast(null as varchar) as document_no,
        expected_quantity,
        actual_quantity
    from {{ ref('int_matching__parcel_checks') }}
),

unioned as (
    select * from of_orders
    union all
    select * from of_lines
    union all
    select * from of_deadlines
    union all
    select * from of_documents
    union all
    select * from of_sellers
),

final as (
    select
        unioned.marketplace_code,
        unioned.entity_code,
        unioned.subject_type,
        unioned.subject_id,
        unioned.rule_code,
        unioned.status,
        case when unioned.status = 'EXCEPTION' then unioned.exception_code end as exception_code,
        {{ money('unioned.expected_amount') }} as expected_amount,
        {{ money('unioned.actual_amount') }} as actual_amount,
        {{ money('unioned.actual_amount - unioned.expected_amount') }} as delta_amount,
        unioned.currency_code,
        unioned.left_id,
        unioned.right_id,
        unioned.due_at,
        case when unioned.status = 'EXCEPTION' then unioned.root_subject_type end as root_subject_type,
        case when unioned.status = 'EXCEPTION' then unioned.root_subject_id end as root_subject_id,
        case when unioned.status in ('EXCEPTION', 'TIMING') then unioned.summary end as summary,
        unioned.order_id,
        unioned.order_line_id,
        unioned.document_no,
        cast(unioned.expected_quantity as decimal(18, 4)) as expected_quantity,
        cast(unioned.actual_quantity as decimal(18, 4)) as actual_quantity
    from unioned
)

select * from final
