-- Grain: refund of an order line. Amounts refunded and commission given back beside the lines that settle them. The commission to
-- expect back follows the contract's rule on the cumulative amount, so that the last refund of a line takes the remainder;
-- without a contract it is what the order says.
with

refunds as (

    select * from {{ ref('int_ledger__refunds') }}
    where refund_state = 'REFUNDED'

),

orders as {{ inlined() }} (

    select * from {{ ref('int_ledger__orders') }}

),

order_lines as {{ inlined() }} (

    select * from {{ ref('int_ledger__order_lines') }}

),

contracts as (

    select * from {{ ref('stg_tieout__commission_contracts') }}

),

duplicates as (

    select * from {{ ref('int_matching__duplicate_lines') }}

),

settled as (

    select
        lines.marketplace_code,
        lines.refund_id,
        sum(case when lines.component = 'REFUND_GOODS' then lines.amount end) as goods_amount,
        sum(case when lines.component = 'REFUND_SHIPPING' then lines.amount end) as shipping_amount,
        sum(case when lines.component = 'REFUND_COMMISSION' then lines.amount end) as commission_amount,
        sum(case when lines.component = 'REFUND_COMMISSION_VAT' then lines.amount end) as commission_vat_amount,
        count(case when lines.component in ('REFUND_GOODS', 'REFUND_SHIPPING') then 1 end) as amount_line_count,
        min(lines.billing_cycle_id) as billing_cycle_id,
        min(case when lines.component = 'REFUND_GOODS' then lines.transaction_line_id end) as goods_line_id,
        min(case when lines.component = 'REFUND_COMMISSION' then lines.transaction_line_id end) as commission_line_id
    from {{ ref('int_matching__transaction_lines') }} as lines
    left join duplicates
        on
            lines.marketplace_code = duplicates.marketplace_code
            and lines.transaction_line_id = duplicates.transaction_line_id
    where
        not lines.is_informative
        and lines.refund_id is not null
        and duplicates.transaction_line_id is null
    group by lines.marketplace_code, lines.refund_id

),

contract_choices as (

    select
        refunds.marketplace_code,
        refunds.refund_id,
        contracts.base,
        contracts.refund_rule,
        coalesce(contracts.retain_share_percent, 0) as retain_share_percent,
        coalesce(contracts.retain_fixed_amount, 0) as retain_fixed_amount,
        coalesce(contracts.vat_percent, 0) as vat_percent,
        row_number() over (
            partition by refunds.marketplace_code, refunds.refund_id
            order by case when contracts.category_code = '*' then 1 else 0 end, contracts.effective_from desc
        ) as choice_number
    from refunds
    inner join orders
        on
            refunds.marketplace_code = orders.marketplace_code
            and refunds.order_id = orders.order_id
    inner join order_lines
        on
            refunds.marketplace_code = order_lines.marketplace_code
            and refunds.order_line_id = order_lines.order_line_id
    inner join contracts
        on
            refunds.marketplace_code = contracts.marketplace_code
            and (order_lines.category_code = contracts.category_code or contracts.category_code = '*')
            and orders.order_date >= contracts.effective_from

),

based as (

    select
        refunds.*,
        orders.is_excluded,
        orders.tax_mode,
        cast(refunds.created_at as date) as refund_date,
        contract_choices.refund_id is not null as has_contract,
        coalesce(contract_choices.refund_rule, 'FULL_PRO_RATA') as refund_rule,
        coalesce(contract_choices.retain_share_percent, 0) as retain_share_percent,
        coalesce(contract_choices.retain_fixed_amount, 0) as retain_fixed_amount,
        coalesce(contract_choices.vat_percent, 0) as vat_percent,
        -- Pence, because a ratio of decimals is a binary float on some engines.
        cast(round((
            coalesce(order_lines.commission_amount, 0) - coalesce(order_lines.cancelled_commission_amount, 0)
        ) * 100) as bigint) as commission_pence,
        cast(round((
            order_lines.price_amount - coalesce(order_lines.cancelled_amount, 0)
            + case
                when contract_choices.base = 'PRICE_PLUS_SHIPPING'
                    then order_lines.shipping_amount - coalesce(order_lines.cancelled_shipping_amount, 0)
                else 0
            end
        ) * 100) as bigint) as base_pence,
        cast(round(sum(
            refunds.amount
            + case when contract_choices.base = 'PRICE_PLUS_SHIPPING' then refunds.shipping_amount else 0 end
        ) over (
            partition by refunds.marketplace_code, refunds.order_line_id
            order by refunds.created_at, refunds.refund_id
            rows between unbounded preceding and current row
        ) * 100) as bigint) as refunded_pence,
        cast(round((
            refunds.amount
            + case when contract_choices.base = 'PRICE_PLUS_SHIPPING' then refunds.shipping_amount else 0 end
        ) * 100) as bigint) as this_refund_pence,
        cast(round((100 - coalesce(contract_choices.retain_share_percent, 0)) * 100) as bigint) as given_back_share
    from refunds
    inner join orders
        on
            refunds.marketplace_code = orders.marketplace_code
            and refunds.order_id = orders.order_id
    inner join order_lines
        on
            refunds.marketplace_code = order_lines.marketplace_code
            and refunds.order_line_id = order_lines.order_line_id
    left join contract_choices
        on
            refunds.marketplace_code = contract_choices.marketplace_code
            and refunds.refund_id = contract_choices.refund_id
            and contract_choices.choice_number = 1

),

shared as (

    select
        based.*,
        case
            when based.base_pence <= 0 then 0
            when based.refund_rule = 'RETAIN_SHARE'
                then {{ round_ratio(
                    'based.commission_pence * based.refunded_pence * based.given_back_share', 'based.base_pence * 10000'
                ) }}
            else {{ round_ratio('based.commission_pence * based.refunded_pence', 'based.base_pence') }}
        end as back_until_now_pence,
        case
            when based.base_pence <= 0 then 0
            when based.refund_rule = 'RETAIN_SHARE'
                then {{ round_ratio(
                    'based.commission_pence * (based.refunded_pence - based.this_refund_pence) * based.given_back_share',
                    'based.base_pence * 10000'
                ) }}
            else {{ round_ratio(
                'based.commission_pence * (based.refunded_pence - based.this_refund_pence)', 'based.base_pence'
            ) }}
        end as back_before_pence
    from based

),

final as (

    select
        shared.marketplace_code,
        shared.entity_code,
        shared.refund_id,
        shared.order_id,
        shared.order_line_id,
        shared.currency_code,
        shared.is_excluded,
        shared.refund_rule,
        shared.refund_date,
        cast(-(
            shared.amount
            + case when shared.tax_mode = 'TAX_EXCLUDED' then coalesce(shared.tax_amount, 0) else 0 end
        ) as decimal(18, 2)) as expected_goods_amount,
        cast(-(
            coalesce(shared.shipping_amount, 0)
            + case when shared.tax_mode = 'TAX_EXCLUDED' then coalesce(shared.shipping_tax_amount, 0) else 0 end
        ) as decimal(18, 2)) as expected_shipping_amount,
        cast(case
            when not shared.has_contract then shared.commission_amount
            when shared.refund_rule = 'NONE' then 0
            when shared.refund_rule = 'RETAIN_FIXED'
                then greatest(
                    cast(shared.back_until_now_pence - shared.back_before_pence as decimal(18, 2)) * 0.01
                    - shared.retain_fixed_amount,
                    0
                )
            else cast(shared.back_until_now_pence - shared.back_before_pence as decimal(18, 2)) * 0.01
        end as decimal(18, 2)) as expected_commission_amount,
        cast(case
            when shared.has_contract
                then {{ tax_on_net('coalesce(settled.commission_amount, 0)', 'shared.vat_percent') }}
            else shared.commission_vat_amount
        end as decimal(18, 2)) as expected_commission_vat_amount,
        cast(coalesce(settled.goods_amount, 0) as decimal(18, 2)) as settled_goods_amount,
        cast(coalesce(settled.shipping_amount, 0) as decimal(18, 2)) as settled_shipping_amount,
        cast(coalesce(settled.commission_amount, 0) as decimal(18, 2)) as settled_commission_amount,
        cast(coalesce(settled.commission_vat_amount, 0) as decimal(18, 2)) as settled_commission_vat_amount,
        coalesce(settled.amount_line_count, 0) as amount_line_count,
        settled.billing_cycle_id,
        settled.goods_line_id,
        settled.commission_line_id
    from shared
    left join settled
        on
            shared.marketplace_code = settled.marketplace_code
            and shared.refund_id = settled.refund_id

)

select * from final
