-- Grain: cycle × step: from what was brought forward over gross sales, refunds and each kind of fee to the net pay-out and what is carried
-- forward. Steps 10 to 800 add up to the pay-out plus the closing balance (step 900 and 950, shown with a minus sign).
with

lines as (

    select * from {{ ref('int_matching__transaction_lines') }}
    where is_in_net

),

cycles as (

    select * from {{ ref('int_matching__cycles') }}

),

steps as (

    select
        cycles.marketplace_code,
        cycles.billing_cycle_id,
        10 as step_no,
        'Balance brought forward' as step_name,
        cycles.opening_amount as amount
    from cycles
    union all
    select
        lines.marketplace_code,
        lines.billing_cycle_id,
        case lines.bucket
            when 'SALE' then case lines.fee_type when 'GOODS' then 100 when 'SHIPPING' then 110 else 120 end
            when 'REFUND' then case lines.fee_type when 'GOODS' then 200 when 'SHIPPING' then 210 else 220 end
            when 'FEE' then case lines.fee_type when 'COMMISSION' then 300 when 'SUBSCRIPTION' then 310 else 320 end
            when 'FEE_REFUND' then 400
            when 'TAX' then 500
            when 'ADJUSTMENT' then 600
            when 'RESERVE' then 610
            when 'PASSTHROUGH' then 620
            else 700
        end as step_no,
        case lines.bucket
            when 'SALE'
                then case lines.fee_type
                    when 'GOODS' then 'Goods sold' when 'SHIPPING' then 'Shipping charged' else 'Customer-paid fees'
                end
            when 'REFUND'
                then case lines.fee_type
                    when 'GOODS' then 'Goods refunded'
                    when 'SHIPPING' then 'Shipping refunded'
                    else 'Customer-paid fees refunded'
                end
            when 'FEE'
                then case lines.fee_type
                    when 'COMMISSION' then 'Commission'
                    when 'SUBSCRIPTION' then 'Subscription'
                    else 'Other fees and penalties'
                end
            when 'FEE_REFUND' then 'Fees given back'
            when 'TAX' then 'VAT on fees and adjustments'
            when 'ADJUSTMENT' then 'Manual credits and invoices'
            when 'RESERVE' then 'Reserve'
            when 'PASSTHROUGH' then 'Taxes that the operator remits'
            else 'Types without a mapping'
        end as step_name,
        lines.amount
    from lines
    where lines.billing_cycle_id is not null
    union all
    select
        cycles.marketplace_code,
        cycles.billing_cycle_id,
        800 as step_no,
        'Not explained by lines' as step_name,
        cycles.break_amount as amount
    from cycles
    union all
    select
        cycles.marketplace_code,
        cycles.billing_cycle_id,
        900 as step_no,
        'Paid out' as step_name,
        -cycles.payout_amount as amount
    from cycles
    union all
    select
        cycles.marketplace_code,
        cycles.billing_cycle_id,
        950 as step_no,
        'Balance carried forward' as step_name,
        -cycles.closing_amount as amount
    from cycles

),

final as (

    select
        cycles.marketplace_code,
        cycles.entity_code,
        cycles.billing_cycle_id,
        cycles.cycle_date,
        cast(steps.step_no as integer) as step_no,
        steps.step_name,
        cast(sum(steps.amount) as decimal(18, 2)) as amount,
        cycles.currency_code
    from steps
    inner join cycles
        on
            steps.marketplace_code = cycles.marketplace_code
            and steps.billing_cycle_id = cycles.billing_cycle_id
    group by
        cycles.marketplace_code,
        cycles.entity_code,
        cycles.billing_cycle_id,
        cycles.cycle_date,
        steps.step_no,
        steps.step_name,
        cycles.currency_code
    having sum(steps.amount) <> 0 or steps.step_no in (900, 950)

)

select * from final
