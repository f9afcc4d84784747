-- Proposes: receipt and pay-out with equal amounts, where the receipt's text names the pay-out. Safe because two independent
-- facts agree. Undecided (BNK-011) when a receipt names several pay-outs of that amount, or several receipts name one.
with

candidates as (

    select * from {{ ref('int_matching__receipt_candidates') }}
    where is_named = 1 and receipt_currency_code = payout_currency_code and receipt_amount = payout_amount

),

pairs as (

    select
        candidates.receipt_id,
        candidates.marketplace_code,
        candidates.billing_cycle_id,
        candidates.receipt_amount as cash_amount,
        count(*) over (partition by candidates.receipt_id) as payout_count,
        row_number() over (
            partition by candidates.marketplace_code, candidates.billing_cycle_id
            order by candidates.value_date, candidates.receipt_id
        ) as receipt_number
    from candidates

),

final as (

    -- A pay-out is cleared by the earliest receipt that names it; a second payment of it stays open.
    select
        pairs.receipt_id,
        pairs.marketplace_code,
        pairs.billing_cycle_id,
        'E010_REFERENCE' as rule_code,
        pairs.receipt_id as group_id,
        pairs.cash_amount,
        cast(0 as decimal(18, 2)) as fee_amount,
        cast(0 as decimal(18, 2)) as excess_amount,
        case when pairs.payout_count > 1 then 'BNK-011' end as undecided_code
    from pairs
    where pairs.receipt_number = 1 or pairs.payout_count > 1

)

select * from final
