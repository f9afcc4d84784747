-- Grain: transaction line that repeats another one under an id of its own. Two equal movements are a duplicate only where the order
-- expects one: two equal parts of a split shipment add up to the order and stay.
with

lines as {{ inlined() }} (

    select * from {{ ref('int_matching__transaction_lines') }}
    where not is_informative and order_line_id is not null

),

orders as (

    select * from {{ ref('int_ledger__orders') }}

),

order_lines as (

    select * from {{ ref('int_ledger__order_lines') }}

),

refunds as (

    select * from {{ ref('int_ledger__refunds') }}

),

copied as (

    -- Few lines are equal to another: only what belongs to their order lines is added up.
    select
        lines.marketplace_code,
        lines.order_line_id
    from lines
    where lines.copy_number > 1
    group by lines.marketplace_code, lines.order_line_id

),

components as (

    select
        lines.marketplace_code,
        lines.order_line_id,
        coalesce(lines.refund_id, '') as refund_key,
        lines.component,
        sum(lines.amount) as settled_amount,
        sum(case when lines.copy_number > 1 then lines.amount else 0 end) as repeated_amount
    from lines
    inner join copied
        on
            lines.marketplace_code = copied.marketplace_code
            and lines.order_line_id = copied.order_line_id
    where lines.component not in ('FEE', 'OTHER', 'PAYMENT')
    group by lines.marketplace_code, lines.order_line_id, coalesce(lines.refund_id, ''), lines.component
    having sum(case when lines.copy_number > 1 then 1 else 0 end) > 0

),

expected as (

    select
        components.*,
        case components.component
            when 'GOODS'
                then
                    order_lines.price_amount - coalesce(order_lines.cancelled_amount, 0)
                    + case
                        when orders.tax_mode = 'TAX_EXCLUDED'
                            then coalesce(order_lines.tax_amount, 0) - coalesce(order_lines.cancelled_tax_amount, 0)
                        else 0
                    end
            when 'SHIPPING'
                then
                    order_lines.shipping_amount - coalesce(order_lines.cancelled_shipping_amount, 0)
                    + case
                        when orders.tax_mode = 'TAX_EXCLUDED'
                            then
                                coalesce(order_lines.shipping_tax_amount, 0)
                                - coalesce(order_lines.cancelled_shipping_tax_amount, 0)
                        else 0
                    end
            when 'COMMISSION' then coalesce(order_lines.cancelled_commission_amount, 0) - order_lines.commission_amount
            when 'COMMISSION_VAT'
                then coalesce(order_lines.cancelled_commission_vat_amount, 0) - order_lines.commission_vat_amount
            when 'REFUND_GOODS'
                then
                    -refunds.amount
                    - case when orders.tax_mode = 'TAX_EXCLUDED' then coalesce(refunds.tax_amount, 0) else 0 end
            when 'REFUND_SHIPPING'
                then
                    -refunds.shipping_amount
                    - case
                        when orders.tax_mode = 'TAX_EXCLUDED' then coalesce(refunds.shipping_tax_amount, 0) else 0
                    end
            when 'REFUND_COMMISSION' then refunds.commission_amount
            when 'REFUND_COMMISSION_VAT' then refunds.commission_vat_amount
        end as expected_amount
    from components
    inner join order_lines
        on
            components.marketplace_code = order_lines.marketplace_code
            and components.order_line_id = order_lines.order_line_id
    left join orders
        on
            order_lines.marketplace_code = orders.marketplace_code
            and order_lines.order_id = orders.order_id
    left join refunds
        on
            components.marketplace_code = refunds.marketplace_code
            and components.refund_key = refunds.refund_id

),

final as (

    select
        lines.marketplace_code,
        lines.transaction_line_id
    from lines
    inner join expected
        on
            lines.marketplace_code = expected.marketplace_code
            and lines.order_line_id = expected.order_line_id
            and coalesce(lines.refund_id, '') = expected.refund_key
            and lines.component = expected.component
    where
        lines.copy_number > 1
        and lines.amount <> 0
        -- What was settled is nearer to what is expected without the repeated lines than with them.
        and abs(expected.settled_amount - expected.repeated_amount - expected.expected_amount)
        < abs(expected.settled_amount - expected.expected_amount)

)

select * from final
