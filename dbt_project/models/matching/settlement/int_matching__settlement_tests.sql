-- Grain: subject × rule of level b: what an order, a refund or a fee rule expects beside what the transaction lines say. One cause
-- is tested once: a cancelled line is one row, VAT follows the commission charged, an unknown order hides its lines' tests.
-- A view: to judge twice is cheaper than to write it all down between.
{{ config(materialized='view') }}

with

order_lines as (

    select * from {{ ref('int_matching__settlement_order_lines') }}

),

refunds as {{ inlined() }} (

    select * from {{ ref('int_matching__settlement_refunds') }}

),

fees as (

    select * from {{ ref('int_matching__fee_predictions') }}

),

lines as {{ inlined() }} (

    select * from {{ ref('int_matching__transaction_lines') }}

),

duplicates as (

    select * from {{ ref('int_matching__duplicate_lines') }}

),

changes as (

    select * from {{ ref('int_ledger__settlement_line_changes') }}

),

orders as (

    select * from {{ ref('int_ledger__orders') }}

),

tolerances as (

    select * from {{ ref('int_matching__tolerances') }}

),

settled_in_time as (

    select
        order_lines.marketplace_code,
        order_lines.entity_code,
        'ORDER_LINE' as subject_type,
        order_lines.order_line_id as subject_id,
        'B010_SETTLED_IN_TIME' as rule_code,
        case
            when order_lines.is_excluded then 'EXCLUDED'
            when order_lines.goods_line_count > 0 and order_lines.unsettled_line_count = 0 then 'MATCHED'
            when {{ as_of() }} > order_lines.due_at then 'EXCEPTION'
            else 'TIMING'
        end as status,
        'SET-001' as fault_code,
        cast(
            order_lines.expected_goods_amount + order_lines.expected_shipping_amount as decimal(18, 2)
        ) as expected_amount,
        -- Whether the amount is right is another test; here the whole sale has been settled or it has not.
        cast(case
            when order_lines.goods_line_count > 0 and order_lines.unsettled_line_count = 0
                then order_lines.expected_goods_amount + order_lines.expected_shipping_amount
            else 0
        end as decimal(18, 2)) as actual_amount,
        cast(0 as decimal(18, 2)) as tolerance_amount,
        order_lines.currency_code,
        order_lines.due_at,
        order_lines.order_id,
        order_lines.order_line_id,
        cast(null as varchar) as refund_id,
        order_lines.goods_line_id as transaction_line_id,
        order_lines.billing_cycle_id,
        'GOODS' as fee_type,
        coalesce(order_lines.payable_date, order_lines.order_date) as subject_date,
        'Sale is not settled by its due date.' as fault_summary
    from order_lines
    where not order_lines.is_cancelled and order_lines.expected_goods_amount <> 0

),

cancelled_lines as (

    select
        order_lines.marketplace_code,
        order_lines.entity_code,
        'ORDER_LINE' as subject_type,
        order_lines.order_line_id as subject_id,
        'B020_CANCELLED' as rule_code,
        case
            when order_lines.is_excluded then 'EXCLUDED'
            when order_lines.goods_line_count = 0 then 'EXCLUDED'
            when order_lines.settled_goods_amount + order_lines.settled_refund_goods_amount = 0 then 'MATCHED'
            else 'EXCEPTION'
        end as status,
        'SET-010' as fault_code,
        cast(0 as decimal(18, 2)) as expected_amount,
        cast(
            order_lines.settled_goods_amount + order_lines.settled_refund_goods_amount as decimal(18, 2)
        ) as actual_amount,
        cast(0 as decimal(18, 2)) as tolerance_amount,
        order_lines.currency_code,
        cast(null as timestamp) as due_at,
        order_lines.order_id,
        order_lines.order_line_id,
        cast(null as varchar) as refund_id,
        order_lines.goods_line_id as transaction_line_id,
        order_lines.billing_cycle_id,
        'GOODS' as fee_type,
        order_lines.order_date as subject_date,
        'A line that was cancelled in full was settled.' as fault_summary
    from order_lines
    where order_lines.is_cancelled

),

{% set components = [
    ('B030_GOODS', 'goods', 'GOODS', 'settled_amount', 'SET-002'),
    ('B040_SHIPPING', 'shipping', 'SHIPPING', 'settled_amount', 'SET-011'),
    ('B050_COMMISSION', 'commission', 'COMMISSION', 'commission', 'SET-004'),
    ('B070_COMMISSION_VAT', 'commission_vat', 'COMMISSION', 'commission_vat', 'SET-005'),
] -%}
{% for rule_code, column, fee_type, tolerance, code in components -%}
{{ column }}_tests as (

    select
        order_lines.marketplace_code,
        order_lines.entity_code,
        'ORDER_LINE' as subject_type,
        order_lines.order_line_id as subject_id,
        '{{ rule_code }}' as rule_code,
        case
            when order_lines.is_excluded then 'EXCLUDED'
            when order_lines.settled_{{ column }}_amount = order_lines.expected_{{ column }}_amount then 'MATCHED'
            when
                abs(order_lines.settled_{{ column }}_amount - order_lines.expected_{{ column }}_amount)
                <= tolerances.{{ tolerance }}
                then 'MATCHED_WITHIN_TOLERANCE'
            else 'EXCEPTION'
        end as status,
        {% if column == 'goods' -%}
        case
            when
                order_lines.operator_funded_amount > 0
                and order_lines.settled_goods_amount - order_lines.expected_goods_amount
                = -order_lines.operator_funded_amount
                then 'SET-013'
            else 'SET-002'
        end as fault_code,
        {% elif column == 'shipping' -%}
        case
            when order_lines.settled_shipping_amount < order_lines.expected_shipping_amount then 'SET-011'
            else 'SET-002'
        end as fault_code,
        {% else -%}
        '{{ code }}' as fault_code,
        {% endif -%}
        order_lines.expected_{{ column }}_amount as expected_amount,
        order_lines.settled_{{ column }}_amount as actual_amount,
        tolerances.{{ tolerance }} as tolerance_amount,
        order_lines.currency_code,
        cast(null as timestamp) as due_at,
        order_lines.order_id,
        order_lines.order_line_id,
        cast(null as varchar) as refund_id,
        order_lines.{{ column }}_line_id as transaction_line_id,
        order_lines.billing_cycle_id,
        '{{ fee_type }}' as fee_type,
        order_lines.order_date as subject_date,
        {% if column == 'goods' -%}
        case
            when
                order_lines.operator_funded_amount > 0
                and order_lines.settled_goods_amount - order_lines.expected_goods_amount
                = -order_lines.operator_funded_amount
                then 'The part of the price that the operator funds was not paid through.'
            else 'Goods were settled at another amount than the order says.'
        end as fault_summary
        {% elif column == 'shipping' -%}
        'Shipping was settled at another amount than the order says.' as fault_summary
        {% elif column == 'commission' -%}
        'The commission charged is not the commission on the order line.' as fault_summary
        {% else -%}
        'The VAT on the commission is not the agreed rate of the commission charged.' as fault_summary
        {% endif %}
    from order_lines
    inner join tolerances
        on order_lines.currency_code = tolerances.currency_code
    where not order_lines.is_cancelled and order_lines.goods_line_count + order_lines.other_line_count > 0

),

{% endfor -%}
contract_tests as (

    select
        order_lines.marketplace_code,
        order_lines.entity_code,
        'ORDER_LINE' as subject_type,
        order_lines.order_line_id as subject_id,
        'B060_CONTRACT' as rule_code,
        case
            when order_lines.is_excluded then 'EXCLUDED'
            when order_lines.order_commission_amount = order_lines.contract_commission_amount then 'MATCHED'
            when
                abs(order_lines.order_commission_amount - order_lines.contract_commission_amount)
                <= tolerances.commission
                then 'MATCHED_WITHIN_TOLERANCE'
            else 'EXCEPTION'
        end as status,
        'SET-003' as fault_code,
        order_lines.contract_commission_amount as expected_amount,
        order_lines.order_commission_amount as actual_amount,
        tolerances.commission as tolerance_amount,
        order_lines.currency_code,
        cast(null as timestamp) as due_at,
        order_lines.order_id,
        order_lines.order_line_id,
        cast(null as varchar) as refund_id,
        order_lines.commission_line_id as transaction_line_id,
        order_lines.billing_cycle_id,
        'COMMISSION' as fee_type,
        order_lines.order_date as subject_date,
        'The commission on the order line is not what the contract says.' as fault_summary
    from order_lines
    inner join tolerances
        on order_lines.currency_code = tolerances.currency_code
    where not order_lines.is_cancelled and order_lines.contract_commission_amount is not null

),

refund_amount_tests as (

    select
        refunds.marketplace_code,
        refunds.entity_code,
        'ORDER_LINE' as subject_type,
        refunds.order_line_id as subject_id,
        'B080_REFUND' as rule_code,
        case
            when refunds.is_excluded then 'EXCLUDED'
            when refunds.amount_line_count = 0 then 'TIMING'
            when
                refunds.settled_goods_amount + refunds.settled_shipping_amount
                = refunds.expected_goods_amount + refunds.expected_shipping_amount
                then 'MATCHED'
            else 'EXCEPTION'
        end as status,
        'SET-002' as fault_code,
        cast(refunds.expected_goods_amount + refunds.expected_shipping_amount as decimal(18, 2)) as expected_amount,
        cast(refunds.settled_goods_amount + refunds.settled_shipping_amount as decimal(18, 2)) as actual_amount,
        cast(0 as decimal(18, 2)) as tolerance_amount,
        refunds.currency_code,
        cast(null as timestamp) as due_at,
        refunds.order_id,
        refunds.order_line_id,
        refunds.refund_id,
        refunds.goods_line_id as transaction_line_id,
        refunds.billing_cycle_id,
        'GOODS' as fee_type,
        refunds.refund_date as subject_date,
        'The refund was settled at another amount than the order says.' as fault_summary
    from refunds

),

refund_commission_tests as (

    select
        refunds.marketplace_code,
        refunds.entity_code,
        'REFUND' as subject_type,
        refunds.refund_id as subject_id,
        'B090_REFUND_COMMISSION' as rule_code,
        case
            when refunds.is_excluded then 'EXCLUDED'
            when refunds.settled_commission_amount = refunds.expected_commission_amount then 'MATCHED'
            when abs(refunds.settled_commission_amount - refunds.expected_commission_amount) <= tolerances.commission
                then 'MATCHED_WITHIN_TOLERANCE'
            else 'EXCEPTION'
        end as status,
        'SET-008' as fault_code,
        refunds.expected_commission_amount as expected_amount,
        refunds.settled_commission_amount as actual_amount,
        tolerances.commission as tolerance_amount,
        refunds.currency_code,
        cast(null as timestamp) as due_at,
        refunds.order_id,
        refunds.order_line_id,
        refunds.refund_id,
        refunds.commission_line_id as transaction_line_id,
        refunds.billing_cycle_id,
        'COMMISSION' as fee_type,
        refunds.refund_date as subject_date,
        'The commission given back on the refund is not what the contract says.' as fault_summary
    from refunds
    inner join tolerances
        on refunds.currency_code = tolerances.currency_code
    where refunds.amount_line_count > 0

),

refund_commission_vat_tests as (

    select
        refunds.marketplace_code,
        refunds.entity_code,
        'ORDER_LINE' as subject_type,
        refunds.order_line_id as subject_id,
        'B100_REFUND_COMMISSION_VAT' as rule_code,
        case
            when refunds.is_excluded then 'EXCLUDED'
            when refunds.settled_commission_vat_amount = refunds.expected_commission_vat_amount then 'MATCHED'
            when
                abs(refunds.settled_commission_vat_amount - refunds.expected_commission_vat_amount)
                <= tolerances.commission_vat
                then 'MATCHED_WITHIN_TOLERANCE'
            else 'EXCEPTION'
        end as status,
        'SET-005' as fault_code,
        refunds.expected_commission_vat_amount as expected_amount,
        refunds.settled_commission_vat_amount as actual_amount,
        tolerances.commission_vat as tolerance_amount,
        refunds.currency_code,
        cast(null as timestamp) as due_at,
        refunds.order_id,
        refunds.order_line_id,
        refunds.refund_id,
        refunds.commission_line_id as transaction_line_id,
        refunds.billing_cycle_id,
        'COMMISSION' as fee_type,
        refunds.refund_date as subject_date,
        'The VAT given back is not the agreed rate of the commission given back.' as fault_summary
    from refunds
    inner join tolerances
        on refunds.currency_code = tolerances.currency_code
    where refunds.amount_line_count > 0

),

fee_tests as (

    select
        fees.marketplace_code,
        fees.entity_code,
        'TRANSACTION_LINE' as subject_type,
        fees.transaction_line_id as subject_id,
        'B110_FEE_RULE' as rule_code,
        case
            when fees.is_before_go_live then 'EXCLUDED'
            when fees.amount = fees.expected_amount then 'MATCHED'
            else 'EXCEPTION'
        end as status,
        'SET-012' as fault_code,
        fees.expected_amount,
        fees.amount as actual_amount,
        cast(0 as decimal(18, 2)) as tolerance_amount,
        fees.currency_code,
        cast(null as timestamp) as due_at,
        fees.order_id,
        fees.order_line_id,
        cast(null as varchar) as refund_id,
        fees.transaction_line_id,
        fees.billing_cycle_id,
        fees.fee_type,
        fees.line_date as subject_date,
        'No rule predicts this fee, or not at this amount.' as fault_summary
    from fees

),

line_faults as (

    select
        lines.*,
        case
            when changes.transaction_line_id is not null then 'SET-014'
            when duplicates.transaction_line_id is not null then 'SET-007'
        end as fault_code
    from lines
    left join changes
        on
            lines.marketplace_code = changes.marketplace_code
            and lines.transaction_line_id = changes.transaction_line_id
    left join duplicates
        on
            lines.marketplace_code = duplicates.marketplace_code
            and lines.transaction_line_id = duplicates.transaction_line_id
    where changes.transaction_line_id is not null or duplicates.transaction_line_id is not null

),

line_tests as (

    select
        line_faults.marketplace_code,
        line_faults.entity_code,
        'TRANSACTION_LINE' as subject_type,
        line_faults.transaction_line_id as subject_id,
        case line_faults.fault_code when 'SET-014' then 'B120_IMMUTABLE' else 'B130_UNIQUE' end as rule_code,
        case when line_faults.is_before_go_live then 'EXCLUDED' else 'EXCEPTION' end as status,
        line_faults.fault_code,
        cast(0 as decimal(18, 2)) as expected_amount,
        line_faults.amount as actual_amount,
        cast(0 as decimal(18, 2)) as tolerance_amount,
        line_faults.currency_code,
        cast(null as timestamp) as due_at,
        line_faults.order_id,
        line_faults.order_line_id,
        line_faults.refund_id,
        line_faults.transaction_line_id,
        line_faults.billing_cycle_id,
        line_faults.fee_type,
        line_faults.line_date as subject_date,
        case line_faults.fault_code
            when 'SET-014' then 'A field of this transaction line changed that never may.'
            else 'This transaction line repeats another one under a new id.'
        end as fault_summary
    from line_faults

),

type_tests as (

    select
        lines.marketplace_code,
        lines.entity_code,
        'TRANSACTION_TYPE' as subject_type,
        lines.transaction_type as subject_id,
        'B140_TYPE_MAPPED' as rule_code,
        case
            when min(case when lines.is_mapped or lines.is_informative or lines.is_before_go_live then 1 else 0 end) = 1
                then 'MATCHED'
            else 'EXCEPTION'
        end as status,
        'SET-009' as fault_code,
        cast(0 as decimal(18, 2)) as expected_amount,
        cast(sum(case when lines.is_mapped or lines.is_informative then 0 else lines.amount end) as decimal(18, 2))
            as actual_amount,
        cast(0 as decimal(18, 2)) as tolerance_amount,
        lines.currency_code,
        cast(null as timestamp) as due_at,
        cast(null as varchar) as order_id,
        cast(null as varchar) as order_line_id,
        cast(null as varchar) as refund_id,
        cast(null as varchar) as transaction_line_id,
        cast(null as varchar) as billing_cycle_id,
        max(lines.fee_type) as fee_type,
        min(case when lines.is_mapped then null else lines.line_date end) as subject_date,
        'Nobody has decided how this transaction type is booked; its cycles stay unposted.' as fault_summary
    from lines
    group by lines.marketplace_code, lines.entity_code, lines.transaction_type, lines.currency_code

),

order_tests as (

    select
        lines.marketplace_code,
        lines.entity_code,
        'ORDER' as subject_type,
        lines.order_id as subject_id,
        'B150_ORDER_KNOWN' as rule_code,
        case when min(case when lines.is_before_go_live then 1 else 0 end) = 1 then 'EXCLUDED' else 'EXCEPTION' end
            as status,
        'SET-006' as fault_code,
        cast(0 as decimal(18, 2)) as expected_amount,
        cast(sum(lines.amount) as decimal(18, 2)) as actual_amount,
        cast(0 as decimal(18, 2)) as tolerance_amount,
        lines.currency_code,
        cast(null as timestamp) as due_at,
        lines.order_id,
        cast(null as varchar) as order_line_id,
        cast(null as varchar) as refund_id,
        min(lines.transaction_line_id) as transaction_line_id,
        min(lines.billing_cycle_id) as billing_cycle_id,
        'GOODS' as fee_type,
        min(lines.line_date) as subject_date,
        'Transaction lines name an order that the order feed does not hold.' as fault_summary
    from lines
    left join orders
        on
            lines.marketplace_code = orders.marketplace_code
            and lines.order_id = orders.order_id
    where
        lines.order_id is not null
        and orders.order_id is null
        and not lines.is_informative
    group by lines.marketplace_code, lines.entity_code, lines.order_id, lines.currency_code

),

final as (

    {% set tests = [
        'settled_in_time', 'cancelled_lines', 'goods_tests', 'shipping_tests', 'commission_tests', 'contract_tests',
        'commission_vat_tests', 'refund_amount_tests', 'refund_commission_tests', 'refund_commission_vat_tests', 'fee_tests',
        'line_tests', 'type_tests', 'order_tests',
    ] -%}
    {% for test in tests -%}
    select
        {{ test }}.marketplace_code,
        {{ test }}.entity_code,
        {{ test }}.subject_type,
        {{ test }}.subject_id,
        {{ test }}.rule_code,
        {{ test }}.status,
        {{ test }}.fault_code,
        {{ test }}.expected_amount,
        {{ test }}.actual_amount,
        {{ test }}.tolerance_amount,
        {{ test }}.currency_code,
        {{ test }}.due_at,
        {{ test }}.order_id,
        {{ test }}.order_line_id,
        {{ test }}.refund_id,
        {{ test }}.transaction_line_id,
        {{ test }}.billing_cycle_id,
        {{ test }}.fee_type,
        {{ test }}.subject_date,
        {{ test }}.fault_summary
    from {{ test }}
    {% if not loop.last -%}
    union all
    {% endif -%}
    {%- endfor %}

)

select * from final
