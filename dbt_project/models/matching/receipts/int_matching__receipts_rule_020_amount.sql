-- Proposes: receipt from an approved payer and pay-out with equal amounts, the value date from one day before to seven days after
-- the pay-out date. Decided only when each is the other's single candidate; else a person chooses (BNK-011). A receipt whose
-- text names another pay-out than the amount suggests is left to a person as well (BNK-008).
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

earlier as (

    select * from {{ ref('int_matching__receipts_rule_010_reference') }}

),

pairs as (

    select
        receipts.receipt_id,
        payouts.marketplace_code,
        payouts.billing_cycle_id,
        receipts.amount as cash_amount,
        receipts.is_from_payer,
        count(*) over (partition by receipts.receipt_id) as payout_count,
        count(*) over (partition by payouts.marketplace_code, payouts.billing_cycle_id) as receipt_count
    from receipts
    inner join payouts
        on
            receipts.marketplace_code = payouts.marketplace_code
            and receipts.currency_code = payouts.currency_code
            and receipts.amount = payouts.payout_amount
    where
        receipts.value_date >= {{ add_days('payouts.pay_out_date', '-1') }}
        and receipts.value_date <= {{ add_days('payouts.pay_out_date', '7') }}
        and not exists (
            select 1 from earlier
            where earlier.receipt_id = receipts.receipt_id
        )
        and not exists (
            select 1 from earlier
            where
                earlier.marketplace_code = payouts.marketplace_code
                and earlier.billing_cycle_id = payouts.billing_cycle_id
        )

),

named as (

    -- Pay-outs named by the receipt at all; the pair itself is not among them, or rule 010 would have taken it.
    select distinct receipt_references.receipt_id
    from receipt_references

),

final as (

    select
        pairs.receipt_id,
        pairs.marketplace_code,
        pairs.billing_cycle_id,
        'E020_AMOUNT' as rule_code,
        pairs.receipt_id as group_id,
        pairs.cash_amount,
        cast(0 as decimal(18, 2)) as fee_amount,
        cast(0 as decimal(18, 2)) as excess_amount,
        case
            when named.receipt_id is not null then 'BNK-008'
            when pairs.payout_count > 1 or pairs.receipt_count > 1 then 'BNK-011'
        end as undecided_code
    from pairs
    left join named
        on pairs.receipt_id = named.receipt_id
    where pairs.is_from_payer or named.receipt_id is not null

)

select * from final
