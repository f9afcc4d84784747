-- Proposes: what a person matched. One receipt for several pay-outs pays the oldest first; of several receipts for one pay-out the
-- last one carries what is over, or what the person calls the bank's fee (FEE) or the exchange's loss (EXCHANGE). A difference that
-- is called OPEN stays open by name (short: BNK-003, over-paid: BNK-004).
with

decisions as (

    select * from {{ ref('int_matching__pair_decisions') }}
    where verdict = 'MATCH'

),

receipts as (

    select * from {{ ref('int_matching__receipts') }}
    where match_scope = 'OPEN'

),

payouts as (

    select * from {{ ref('int_matching__payouts') }}

),

pairs as (

    select
        decisions.receipt_id,
        decisions.marketplace_code,
        decisions.billing_cycle_id,
        decisions.residual,
        receipts.amount,
        payouts.payout_amount,
        payouts.pay_out_date,
        payouts.currency_code as payout_currency_code,
        receipts.currency_code <> payouts.currency_code as is_exchanged,
        receipts.value_date,
        sum(payouts.payout_amount) over (partition by decisions.receipt_id) as paid_in_all,
        sum(receipts.amount) over (
            partition by decisions.marketplace_code, decisions.billing_cycle_id
        ) as received_in_all,
        sum(receipts.amount) over (
            partition by decisions.marketplace_code, decisions.billing_cycle_id
            order by receipts.value_date, receipts.receipt_id
            rows between unbounded preceding and current row
        ) as received_until,
        count(*) over (partition by decisions.receipt_id) as payout_count,
        row_number() over (
            partition by decisions.receipt_id
            order by payouts.pay_out_date desc, payouts.billing_cycle_id desc
        ) as number_from_last,
        coalesce(sum(payouts.payout_amount) over (
            partition by decisions.receipt_id
            order by payouts.pay_out_date, payouts.billing_cycle_id
            rows between unbounded preceding and 1 preceding
        ), 0) as paid_before
    from decisions
    inner join receipts
        on decisions.receipt_id = receipts.receipt_id
    inner join payouts
        on
            decisions.marketplace_code = payouts.marketplace_code
            and decisions.billing_cycle_id = payouts.billing_cycle_id

),

shared as (

    select
        pairs.*,
        case
            -- In two currencies nothing can be over or short: what was paid out is cleared in proportion, the rest is exchange.
            when pairs.is_exchanged
                then
                    {{ carried_part('pairs.payout_amount', 'pairs.received_until', 'pairs.received_in_all') }}
                    - {{ carried_part(
                        'pairs.payout_amount', 'pairs.received_until - pairs.amount', 'pairs.received_in_all'
                    ) }}
            when pairs.number_from_last = 1 then greatest(pairs.amount - pairs.paid_before, 0)
            else least(pairs.payout_amount, greatest(pairs.amount - pairs.paid_before, 0))
        end as cash_amount,
        {{ carried_part('pairs.amount', 'pairs.paid_before + pairs.payout_amount', 'pairs.paid_in_all') }}
        - {{ carried_part('pairs.amount', 'pairs.paid_before', 'pairs.paid_in_all') }} as exchanged_amount
    from pairs

),

running as (

    select
        shared.*,
        sum(shared.cash_amount) over (
            partition by shared.marketplace_code, shared.billing_cycle_id
            order by shared.value_date, shared.receipt_id
            rows between unbounded preceding and current row
        ) as received_amount,
        row_number() over (
            partition by shared.marketplace_code, shared.billing_cycle_id
            order by shared.value_date desc, shared.receipt_id desc
        ) as receipt_number_from_last
    from shared
    where shared.cash_amount > 0

),

final as (

    select
        running.receipt_id,
        running.marketplace_code,
        running.billing_cycle_id,
        'E005_PERSON' as rule_code,
        case when running.payout_count > 1 then running.receipt_id else running.billing_cycle_id end as group_id,
        cast(running.cash_amount as decimal(18, 2)) as cash_amount,
        cast(
            case
                when not running.is_exchanged and running.residual = 'FEE' and running.receipt_number_from_last = 1
                    then greatest(running.payout_amount - running.received_amount, 0)
                else 0
            end
            as decimal(18, 2)
        ) as fee_amount,
        cast(
            case
                when running.is_exchanged or running.residual = 'EXCHANGE' then 0
                else least(running.cash_amount, greatest(running.received_amount - running.payout_amount, 0))
            end
            as decimal(18, 2)
        ) as excess_amount,
        cast(
            case
                when
                    not running.is_exchanged and running.residual = 'EXCHANGE' and running.receipt_number_from_last = 1
                    then running.payout_amount - running.received_amount
                else 0
            end
            as decimal(18, 2)
        ) as exchange_amount,
        case when running.is_exchanged then running.exchanged_amount else running.cash_amount end as received_amount,
        case when running.is_exchanged then running.payout_currency_code end as cleared_currency_code,
        cast(null as varchar) as undecided_code
    from running

)

select * from final
