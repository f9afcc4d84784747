-- Grain: transaction line of an order in another currency than the order's. The amount tells what happened: equal to the order's, the
-- label is wrong; else somebody converted it, and the implied rate says how. Columns as in settlement_tests.
with

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}

),

orders as {{ inlined() }} (

    select * from {{ ref('int_ledger__orders') }}

),

lines as (

    select * from {{ ref('int_matching__transaction_lines') }}
    where not is_informative and order_id is not null

),

order_lines as (

    select * from {{ ref('int_ledger__order_lines') }}

),

suspects as (

    -- Hardly any line or order is in another currency than its marketplace's: only those are compared.
    select
        lines.*,
        orders.currency_code as order_currency_code,
        orders.is_excluded
    from lines
    inner join marketplaces
        on
            lines.marketplace_code = marketplaces.marketplace_code
            and lines.currency_code <> marketplaces.currency_code
    inner join orders
        on
            lines.marketplace_code = orders.marketplace_code
            and lines.order_id = orders.order_id
    where lines.currency_code <> orders.currency_code
    union all
    select
        lines.*,
        orders.currency_code as order_currency_code,
        orders.is_excluded
    from orders
    inner join marketplaces
        on
            orders.marketplace_code = marketplaces.marketplace_code
            and orders.currency_code <> marketplaces.currency_code
    inner join lines
        on
            orders.marketplace_code = lines.marketplace_code
            and orders.order_id = lines.order_id
            and marketplaces.currency_code = lines.currency_code

),

measured as (

    select
        suspects.*,
        cast(case suspects.component
            when 'GOODS' then order_lines.price_amount - coalesce(order_lines.cancelled_amount, 0)
            when 'SHIPPING' then order_lines.shipping_amount - coalesce(order_lines.cancelled_shipping_amount, 0)
            when 'COMMISSION' then coalesce(order_lines.cancelled_commission_amount, 0) - order_lines.commission_amount
            when 'COMMISSION_VAT'
                then coalesce(order_lines.cancelled_commission_vat_amount, 0) - order_lines.commission_vat_amount
        end as decimal(18, 2)) as expected_amount
    from suspects
    left join order_lines
        on
            suspects.marketplace_code = order_lines.marketplace_code
            and suspects.order_line_id = order_lines.order_line_id

),

rated as (

    select
        measured.*,
        case
            when measured.expected_amount * measured.amount > 0
                then cast(cast({{ round_ratio(
                    'cast(round(abs(measured.amount) * 1000000) as bigint)',
                    'cast(round(abs(measured.expected_amount) * 100) as bigint)'
                ) }} as decimal(18, 4)) * 0.0001 as decimal(18, 4))
        end as implied_rate
    from measured

),

final as (

    select
        rated.marketplace_code,
        rated.entity_code,
        'TRANSACTION_LINE' as subject_type,
        rated.transaction_line_id as subject_id,
        'B180_CURRENCY' as rule_code,
        case when rated.is_excluded then 'EXCLUDED' else 'EXCEPTION' end as status,
        'SET-002' as fault_code,
        -- In this currency nothing is expected.
        cast(0 as decimal(18, 2)) as expected_amount,
        rated.amount as actual_amount,
        cast(0 as decimal(18, 2)) as tolerance_amount,
        rated.currency_code,
        cast(null as timestamp) as due_at,
        rated.order_id,
        rated.order_line_id,
        rated.refund_id,
        rated.transaction_line_id,
        rated.billing_cycle_id,
        rated.fee_type,
        rated.line_date as subject_date,
        case
            when rated.amount = rated.expected_amount
                then
                    'The amount is the order''s, its label is not: ' || rated.currency_code || ' instead of '
                    || rated.order_currency_code || '.'
            when rated.implied_rate is not null
                then
                    'Converted from ' || cast(rated.expected_amount as varchar) || ' ' || rated.order_currency_code
                    || ' at ' || cast(rated.implied_rate as varchar) || ', though the order is settled in '
                    || rated.order_currency_code || '.'
            else
                'Settled in ' || rated.currency_code || ', the order is in ' || rated.order_currency_code || '.'
        end as fault_summary
    from rated

)

select * from final
