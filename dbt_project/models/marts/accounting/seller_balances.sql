-- Grain: shop × currency × billing cycle of a marketplace that we operate: opening + lines + break = pay-out + closing, to the penny, as the
-- seller sees it (positive: we owe the seller). The kinds of lines add up to the net.
with

cycles as (

    select * from {{ ref('int_matching__cycles') }}

),

marketplaces as (

    select * from {{ ref('int_ledger__marketplaces') }}
    where perspective = 'OPERATOR'

),

shops as (

    select * from {{ ref('int_ledger__shops') }}

),

line_totals as (

    select
        lines.marketplace_code,
        lines.billing_cycle_id,
        sum(case when lines.bucket in ('SALE', 'PASSTHROUGH') then lines.amount else 0 end) as sales_amount,
        sum(case when lines.bucket = 'REFUND' then lines.amount else 0 end) as refund_amount,
        sum(case when lines.bucket in ('FEE', 'FEE_REFUND') then lines.amount else 0 end) as fee_amount,
        sum(case when lines.bucket = 'TAX' then lines.amount else 0 end) as fee_tax_amount,
        sum(case when lines.bucket = 'RESERVE' then lines.amount else 0 end) as reserve_amount,
        sum(
            case
                when
                    lines.bucket not in ('SALE', 'PASSTHROUGH', 'REFUND', 'FEE', 'FEE_REFUND', 'TAX', 'RESERVE')
                    then lines.amount
                else 0
            end
        ) as other_amount
    from {{ ref('int_matching__transaction_lines') }} as lines
    where lines.is_in_net and lines.billing_cycle_id is not null
    group by lines.marketplace_code, lines.billing_cycle_id

),

final as (

    select
        cycles.marketplace_code,
        cycles.entity_code,
        cycles.shop_id,
        shops.shop_name,
        shops.shop_state,
        shops.shop_model,
        cycles.currency_code,
        cycles.billing_cycle_id,
        cast(cycles.cycle_number as integer) as cycle_number,
        cycles.cycle_date,
        cycles.opening_amount,
        cast(coalesce(line_totals.sales_amount, 0) as decimal(18, 2)) as sales_amount,
        cast(coalesce(line_totals.refund_amount, 0) as decimal(18, 2)) as refund_amount,
        cast(coalesce(line_totals.fee_amount, 0) as decimal(18, 2)) as fee_amount,
        cast(coalesce(line_totals.fee_tax_amount, 0) as decimal(18, 2)) as fee_tax_amount,
        cast(coalesce(line_totals.reserve_amount, 0) as decimal(18, 2)) as reserve_amount,
        cast(coalesce(line_totals.other_amount, 0) as decimal(18, 2)) as other_amount,
        cycles.net_amount,
        cycles.break_amount,
        cycles.payout_amount,
        cycles.closing_amount,
        cast(sum(cycles.reserved_amount - cycles.released_amount) over (
            partition by cycles.marketplace_code, cycles.shop_id, cycles.currency_code
            order by cycles.cycle_number
            rows between unbounded preceding and current row
        ) as decimal(18, 2)) as reserve_held_amount,
        cycles.pay_out_state,
        cycles.pay_out_failure_reason,
        cycles.identity_code,
        row_number() over (
            partition by cycles.marketplace_code, cycles.shop_id, cycles.currency_code
            order by cycles.cycle_number desc
        ) = 1 as is_newest
    from cycles
    inner join marketplaces
        on cycles.marketplace_code = marketplaces.marketplace_code
    left join shops
        on
            cycles.marketplace_code = shops.marketplace_code
            and cycles.shop_id = shops.shop_id
    left join line_totals
        on
            cycles.marketplace_code = line_totals.marketplace_code
            and cycles.billing_cycle_id = line_totals.billing_cycle_id

)

select * from final
