-- Grain: order line whose settlement is short by lines that never arrived, and the finding that explains it: the running balance has a
-- gap of that amount, or lines of the order line say PAID without naming a cycle. Its differences are consequences, not findings.
with

order_lines as (

    select * from {{ ref('int_matching__settlement_order_lines') }}

),

ledger_lines as (

    select * from {{ ref('int_ledger__order_lines') }}

),

gaps as (

    select * from {{ ref('int_matching__balance_gaps') }}

),

cycles as (

    select * from {{ ref('int_matching__cycles') }}
    where identity_code = 'PAY-009'

),

orphans as (

    select
        lines.marketplace_code,
        lines.order_line_id,
        min(lines.transaction_line_id) as transaction_line_id
    from {{ ref('int_matching__transaction_lines') }} as lines
    where
        lines.payment_state = 'PAID'
        and lines.billing_cycle_id is null
        and lines.is_in_net
        and lines.order_line_id is not null
    group by lines.marketplace_code, lines.order_line_id

),

short as (

    -- Each component by itself, and the line as a whole: one line or all lines of the sale may be missing.
    select
        order_lines.marketplace_code,
        order_lines.order_line_id,
        order_lines.shop_id,
        order_lines.currency_code,
        order_lines.expected_goods_amount - order_lines.settled_goods_amount as goods_amount,
        order_lines.expected_shipping_amount - order_lines.settled_shipping_amount as shipping_amount,
        order_lines.expected_commission_amount - order_lines.settled_commission_amount as commission_amount,
        ledger_lines.cancelled_commission_vat_amount - ledger_lines.commission_vat_amount
        - order_lines.settled_commission_vat_amount as commission_vat_amount
    from order_lines
    inner join ledger_lines
        on
            order_lines.marketplace_code = ledger_lines.marketplace_code
            and order_lines.order_line_id = ledger_lines.order_line_id
    where
        not order_lines.is_cancelled
        and (
            order_lines.expected_goods_amount <> order_lines.settled_goods_amount
            or order_lines.expected_shipping_amount <> order_lines.settled_shipping_amount
            or order_lines.expected_commission_amount <> order_lines.settled_commission_amount
            or order_lines.expected_commission_vat_amount <> order_lines.settled_commission_vat_amount
        )

),

explained as (

    select
        short.marketplace_code,
        short.order_line_id,
        cycles.billing_cycle_id,
        row_number() over (
            partition by short.marketplace_code, short.order_line_id
            order by cycles.cycle_number, cycles.billing_cycle_id
        ) as choice_number
    from short
    inner join gaps
        on
            short.marketplace_code = gaps.marketplace_code
            and short.shop_id = gaps.shop_id
            and short.currency_code = gaps.currency_code
            and gaps.missing_amount in (
                short.goods_amount,
                short.shipping_amount,
                short.commission_amount,
                short.commission_vat_amount,
                short.goods_amount + short.shipping_amount + short.commission_amount + short.commission_vat_amount
            )
    inner join cycles
        on
            gaps.marketplace_code = cycles.marketplace_code
            and gaps.shop_id = cycles.shop_id
            and gaps.currency_code = cycles.currency_code
            and gaps.found_at <= cycles.created_at

),

final as (

    select
        explained.marketplace_code,
        explained.order_line_id,
        'CYCLE' as root_subject_type,
        explained.billing_cycle_id as root_subject_id
    from explained
    where explained.choice_number = 1
    union all
    select
        orphans.marketplace_code,
        orphans.order_line_id,
        'TRANSACTION_LINE' as root_subject_type,
        orphans.transaction_line_id as root_subject_id
    from orphans
    left join explained
        on
            orphans.marketplace_code = explained.marketplace_code
            and orphans.order_line_id = explained.order_line_id
    where explained.order_line_id is null

)

select * from final
