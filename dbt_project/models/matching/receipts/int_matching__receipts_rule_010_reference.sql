-- Proposes: receipt and pay-out with equal amounts, where the receipt's text names the pay-out. Safe because two independent
-- facts agree. Undecided (BNK-011) when a receipt names several pay-outs of that amount, or several receipts name one.
with

receipts as (

    select * from {{ ref('int_matching__receipts') }}
    where match_scope = 'OPEN'

),

payouts as (

    select * from {{ ref('int_matching__payouts') }}

),

receipt_references as (

    select * from {{ ref('int_matching__receipt_references') }}

),

pairs as (

    select
        receipts.receipt_id,
        payouts.marketplace_code,
        payouts.billing_cycle_id,
        receipts.amount as cash_amount,
        count(*) over (partition by receipts.receipt_id) as payout_count,
        row_number() over (
            partition by payouts.marketplace_code, payouts.billing_cycle_id
            order by receipts.value_date, receipts.receipt_id
        ) as receipt_number
    from receipts
    inner join receipt_references
        on receipts.receipt_id = receipt_references.receipt_id
    inner join payouts
        on
            receipt_references.marketplace_code = payouts.marketplace_code
            and receipt_references.billing_cycle_id = payouts.billing_cycle_id
            and receipts.currency_code = payouts.currency_code
            and receipts.amount = payouts.payout_amount

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
