-- Grain: fee line (seller fee, penalty, subscription). Whether a rule of the contract predicts it: the trigger happened and the amount
-- is the agreed one.
with

lines as (

    select * from {{ ref('int_matching__transaction_lines') }}
    where component = 'FEE' and not is_informative

),

fee_rules as (

    select * from {{ ref('stg_tieout__fee_rules') }}

),

orders as (

    select * from {{ ref('int_ledger__orders') }}

),

order_totals as (

    select
        order_lines.marketplace_code,
        order_lines.order_id,
        max(order_lines.shipped_at) as last_shipped_at,
        sum(
            case when order_lines.shipped_at is null and not order_lines.is_cancelled then 1 else 0 end
        ) as unshipped_count,
        sum(case when order_lines.cancelled_quantity > 0 then 1 else 0 end) as cancelled_count,
        cast(sum(order_lines.price_amount) as decimal(18, 2)) as price_amount
    from {{ ref('int_ledger__order_lines') }} as order_lines
    group by order_lines.marketplace_code, order_lines.order_id

),

line_rules as (

    select
        lines.marketplace_code,
        lines.transaction_line_id,
        fee_rules.fee_trigger,
        fee_rules.amount,
        fee_rules.percent,
        row_number() over (
            partition by lines.marketplace_code, lines.transaction_line_id
            order by case when fee_rules.fee_code is null then 1 else 0 end, fee_rules.effective_from desc
        ) as choice_number
    from lines
    inner join fee_rules
        on
            (lines.marketplace_code = fee_rules.marketplace_code or fee_rules.marketplace_code = '*')
            and lines.transaction_type = fee_rules.transaction_type
            and (lines.fee_code = fee_rules.fee_code or fee_rules.fee_code is null)
            and lines.line_date >= fee_rules.effective_from

),

judged as (

    select
        lines.*,
        line_rules.fee_trigger,
        cast(-coalesce(
            line_rules.amount,
            {{ tax_on_net('coalesce(order_totals.price_amount, 0)', 'coalesce(line_rules.percent, 0)') }}
        ) as decimal(18, 2)) as agreed_amount,
        case line_rules.fee_trigger
            when 'LATE_SHIPMENT'
                then coalesce(
                    order_totals.last_shipped_at > orders.shipping_deadline_at
                    or (order_totals.unshipped_count > 0 and lines.created_at > orders.shipping_deadline_at),
                    false
                )
            when 'CANCELLATION' then coalesce(order_totals.cancelled_count > 0, false)
            when 'MONTHLY'
                then row_number() over (
                    partition by
                        lines.marketplace_code,
                        lines.shop_id,
                        lines.transaction_type,
                        {{ period_of('lines.line_date') }}
                    order by lines.created_at, lines.transaction_line_id
                ) = 1
            when 'NONE' then true
            else false
        end as is_triggered
    from lines
    left join line_rules
        on
            lines.marketplace_code = line_rules.marketplace_code
            and lines.transaction_line_id = line_rules.transaction_line_id
            and line_rules.choice_number = 1
    left join orders
        on
            lines.marketplace_code = orders.marketplace_code
            and lines.order_id = orders.order_id
    left join order_totals
        on
            lines.marketplace_code = order_totals.marketplace_code
            and lines.order_id = order_totals.order_id

),

final as (

    select
        judged.marketplace_code,
        judged.entity_code,
        judged.transaction_line_id,
        judged.transaction_type,
        judged.fee_type,
        judged.fee_code,
        judged.fee_trigger,
        judged.order_id,
        judged.order_line_id,
        judged.billing_cycle_id,
        judged.currency_code,
        judged.line_date,
        judged.is_before_go_live,
        judged.amount,
        case when judged.is_triggered then judged.agreed_amount else cast(0 as decimal(18, 2)) end as expected_amount
    from judged

)

select * from final
